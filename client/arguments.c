/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/arguments.h"

#include "cfdfu/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
arguments_write(int fd, const char *const *words)
{
	char text[ARGUMENTS_TEXT_MAX];
	size_t count = 0, used;

	while (words[count] != NULL)
		count++;
	if (count > ARGUMENTS_MAX)
		return -E2BIG;
	used = (size_t)snprintf(text, sizeof(text), "%zu", count) + 1;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]) + 1;

		if (length > sizeof(text) - used)
			return -E2BIG;
		memcpy(text + used, words[i], length);
		used += length;
	}
	return write_all(fd, text, used);
}

/* Up to the next NUL.  WHY byte by byte: the bytes behind the words belong to another reader. */
static int
read_word(int fd, char *text, size_t size, size_t *ret_length)
{
	for (size_t n = 0; n < size; n++) {
		ssize_t r;

		do
			r = read(fd, text + n, 1);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return -errno;
		if (r == 0)
			return -EPROTO;
		if (text[n] == '\0') {
			*ret_length = n;
			return 0;
		}
	}
	return -EPROTO;
}

int
arguments_read(int fd, char *program, struct arguments *ret)
{
	size_t used = 0, length = 0;
	unsigned long count;
	char *end;
	int r = read_word(fd, ret->text, 8, &length);

	if (r < 0)
		return r;
	count = strtoul(ret->text, &end, 10);
	if (length == 0 || *end != '\0' || count > ARGUMENTS_MAX)
		return -EPROTO;
	ret->argc = 0;
	ret->argv[ret->argc++] = program;
	for (; count > 0; count--) {
		r = read_word(fd, ret->text + used, sizeof(ret->text) - used, &length);
		if (r < 0)
			return r;
		ret->argv[ret->argc++] = ret->text + used;
		used += length + 1;
	}
	ret->argv[ret->argc] = NULL;
	return 0;
}
