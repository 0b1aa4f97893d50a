/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/selection_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/platform.h"

static int PRINTF_LIKE(2, 3) refuse(char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret_why, SELECTION_WHY_MAX, format, args); /* WHY: cut is fine */
	va_end(args);
	return -EINVAL;
}

/* Texts of this one form sort as their times do. */
static bool
is_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00Z";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static int
take_file(struct selection_file *s, json_t *one, char *ret_why)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._+-/";
	const char *platform, *name, *version, *sum, *path;
	uint8_t sha256[DIGEST_BYTES];
	struct selected_file *f;
	json_error_t error;

	if (json_unpack_ex(one, &error, 0, "{s:s, s:s, s:s, s:s, s:s !}", "platform", &platform,
			   "name", &name, "version", &version, "sha256", &sum, "file", &path) < 0)
		return refuse(ret_why, "firmware: %s", error.text);
	f = &s->files[platform_by_name(platform)];
	if (f == s->files)
		return refuse(ret_why, "unknown platform \"%s\"", platform);
	if (f->name[0] != '\0')
		return refuse(ret_why, "two entries for platform %s", platform);
	if (!image_name_is_fine(name))
		return refuse(ret_why, "\"%s\" cannot be the name of firmware", name);
	if (!digest_parse(sum, sha256))
		return refuse(ret_why, "%s: sha256 is not 64 hex digits", name);
	if (path[0] == '/' || path[0] == '.' || strstr(path, "/.") != NULL)
		return refuse(ret_why, "%s: file %s leaves the directory of the selection", name,
			      path);
	if (strspn(path, plain) != strlen(path) || strlen(path) >= sizeof(f->path))
		return refuse(ret_why, "%s: file is not made of up to %zu letters, digits, ._+-/",
			      name, sizeof(f->path) - 1);
	copy_text(f->name, sizeof(f->name), name);
	copy_text(f->path, sizeof(f->path), path);
	digest_format(sha256, f->sha256);
	return 0;
}

static int
take(struct selection_file *s, json_t *root, char *ret_why)
{
	json_t *format = json_object_get(root, "format"), *files, *one;
	const char *from, *until;
	json_error_t error;
	int count, r = 0;
	size_t i;

	if (json_is_integer(format) && json_integer_value(format) != 1)
		return refuse(ret_why, "only format 1 is known");
	/* The terms of batches are for the service to judge. */
	if (json_unpack_ex(root, &error, 0, "{s:i, s:I, s:s, s:s, s:o, s?{s?i, s?i, s?i !} !}",
			   "format", &count, "serial", &s->serial, "valid_from", &from,
			   "valid_until", &until, "firmware", &files, "batch", "expect", &count,
			   "canary", &count, "stop_after", &count) < 0)
		return refuse(ret_why, "%s", error.text);
	if (s->serial < 1)
		return refuse(ret_why, "serial is not a number from 1 on");
	if (!is_time(from) || !is_time(until))
		return refuse(ret_why, "valid_%s is not a time such as 2026-01-31T12:34:56Z",
			      is_time(from) ? "until" : "from");
	if (!json_is_array(files))
		return refuse(ret_why, "firmware is not a list");
	copy_text(s->valid_from, sizeof(s->valid_from), from);
	copy_text(s->valid_until, sizeof(s->valid_until), until);
	json_array_foreach(files, i, one)
		if (r == 0)
			r = take_file(s, one, ret_why);
	return r;
}

int
selection_file_read(const char *text, size_t length, struct selection_file *ret_selection,
		    char ret_why[SELECTION_WHY_MAX])
{
	struct selection_file s = { .serial = 0 };
	json_error_t error;
	json_t *root;
	int r;

	if (length > SELECTION_BYTES_MAX)
		return refuse(ret_why, "larger than %u bytes", SELECTION_BYTES_MAX);
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	r = root == NULL ? refuse(ret_why, "line %d: %s", error.line, error.text)
			 : take(&s, root, ret_why);
	json_decref(root);
	if (r == 0)
		*ret_selection = s;
	return r;
}
