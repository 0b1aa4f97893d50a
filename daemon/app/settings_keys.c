/* SPDX-License-Identifier: MIT */
/* The keys that are trusted to sign firmware: the files of one folder. */
#include "config.h"

#include "app/settings_set.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

static int
cannot(const char *path, const char *why, int error, char ret_error[SETTINGS_ERROR_MAX])
{
	(void)snprintf(ret_error, SETTINGS_ERROR_MAX, "%s: %s", path, why);
	return error;
}

static int
load_key(struct settings *c, const char *path, char ret_error[SETTINGS_ERROR_MAX])
{
	char text[SIGNATURE_TEXT_MAX + 1], why[SIGNATURE_WHY_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error = errno;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	if (fd >= 0) {
		error = errno;
		(void)close(fd); /* only read from */
	}
	if (n < 0)
		return cannot(path, strerror(error), -error, ret_error);
	return signature_add_key(&c->keys, text, (size_t)n, why) < 0
		   ? cannot(path, why, -EINVAL, ret_error)
		   : 0;
}

int
settings_load_keys(struct settings *c, char ret_error[SETTINGS_ERROR_MAX])
{
	char pattern[SETTINGS_FOLDER_MAX + 8];
	glob_t found = { .gl_pathc = 0 };
	int r = 0;

	if (access(c->trusted, R_OK | X_OK) < 0)
		return errno == ENOENT ? 0 : cannot(c->trusted, strerror(errno), -errno, ret_error);
	(void)snprintf(pattern, sizeof(pattern), "%s/*.pub", c->trusted);
	if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		r = cannot(c->trusted, "no memory", -ENOMEM, ret_error);
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = load_key(c, found.gl_pathv[i], ret_error);
	globfree(&found);
	return r;
}

int
settings_trust(const struct settings *s, const char *signer)
{
	if (!s->require_signature || signature_trusts(&s->keys, signer))
		return 0;
	return signer == NULL || signer[0] == '\0' ? -ENOKEY : -EKEYREJECTED;
}
