/* SPDX-License-Identifier: MIT */
/* The keys that are trusted to sign firmware: the files of one folder. */
#include "config.h"

#include "app/settings_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define KEY_ENDING ".pub"

static int
load_key(struct settings *c, const char *path, char error[SETTINGS_ERROR_MAX])
{
	char text[SIGNATURE_TEXT_MAX + 1], why[SIGNATURE_WHY_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = -EINVAL;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	if (n < 0) {
		r = -errno;
		copy_text(why, sizeof(why), strerror(errno));
	} else {
		r = signature_add_key(&c->keys, text, (size_t)n, why);
	}
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		(void)snprintf(error, SETTINGS_ERROR_MAX, "%s: %s", path, why);
	return r;
}

int
settings_load_keys(struct settings *c, char ret_error[SETTINGS_ERROR_MAX])
{
	DIR *folder = opendir(c->trusted);
	char path[SETTINGS_FOLDER_MAX + NAME_MAX + 2];
	struct dirent *entry;
	int r = 0;

	if (folder == NULL && errno == ENOENT)
		return 0;
	if (folder == NULL) {
		r = -errno;
		(void)snprintf(ret_error, SETTINGS_ERROR_MAX, "%s: %s", c->trusted,
			       strerror(errno));
		return r;
	}
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		const char *ending = strrchr(entry->d_name, '.');

		(void)snprintf(path, sizeof(path), "%s/%s", c->trusted, entry->d_name);
		if (ending != NULL && strcmp(ending, KEY_ENDING) == 0)
			r = load_key(c, path, ret_error);
	}
	(void)closedir(folder);
	return r;
}

int
settings_trust(const struct settings *s, const char *signer)
{
	if (!s->require_signature || signature_trusts(&s->keys, signer))
		return 0;
	return signer == NULL || signer[0] == '\0' ? -ENOKEY : -EKEYREJECTED;
}
