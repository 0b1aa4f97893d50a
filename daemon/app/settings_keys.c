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
load_key(struct settings *c, const char *path, char why[SIGNATURE_WHY_MAX])
{
	char text[SIGNATURE_TEXT_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	int error = errno;

	if (fd >= 0)
		(void)close(fd); /* only read from */
	if (n >= 0)
		return signature_add_key(&c->keys, text, (size_t)n, why);
	copy_text(why, SIGNATURE_WHY_MAX, strerror(error));
	return -error;
}

int
settings_load_keys(struct settings *c, char ret_error[SETTINGS_ERROR_MAX])
{
	char pattern[SETTINGS_FOLDER_MAX + 8], why[SIGNATURE_WHY_MAX];
	int r = access(c->trusted, R_OK | X_OK) < 0 ? -errno : 0;
	const char *path = c->trusted;
	glob_t found = { .gl_pathc = 0 };

	if (r == -ENOENT)
		return 0;
	(void)snprintf(pattern, sizeof(pattern), "%s/*.pub", path);
	if (r == 0 && glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		r = -ENOMEM;
	copy_text(why, sizeof(why), strerror(-r));
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
		path = found.gl_pathv[i];
		r = load_key(c, path, why);
	}
	if (r < 0)
		(void)snprintf(ret_error, SETTINGS_ERROR_MAX, "%.200s: %s", path, why);
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
