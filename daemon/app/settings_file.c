/* SPDX-License-Identifier: MIT */
/* Configuration files: which of them count, line by line into settings_set() */
#include "config.h"

#include "app/settings.h"

#include "app/settings_set.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "cfdfud.conf"
#define DROPIN_DIR "cfdfud.conf.d"
#define FILE_BYTES_MAX (1 << 20) /* LIMIT: one file */
#define SETTINGS_MAX 4096	 /* LIMIT */
#define DROPINS_MAX 256		 /* LIMIT: drop-ins in all directories together */
#define HIDDEN_COLON '\x01'	 /* within a key while inih has it */
#define KEY_MAX 256		 /* LIMIT: longer than inih's line */

/* WHY these: as systemd has it for its own files; the administrator's first, the vendor's last. */
static const char *const installed_dirs[] = { SYSCONFDIR "/cfdfud", RUNDIR, "/usr/lib/cfdfud",
					      NULL };

/* ---- every assignment in force, with where it came from ------------------------------------- */

static void
free_setting(struct setting *s)
{
	free(s->section);
	free(s->key);
	free(s->value);
	free(s->origin);
}

/* Takes out what a new line of this key replaces: all before it, or for a list only its default. */
static void
drop_replaced(struct settings *c, const char *section, const char *key, const char *value)
{
	bool adds = settings_key_is_list(section, key) && value[0] != '\0';
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct setting *s = &c->list[i];
		bool same = strcmp(s->section, section) == 0 && strcmp(s->key, key) == 0;

		if (same && !(adds && s->value[0] != '\0'))
			free_setting(s);
		else
			c->list[kept++] = *s;
	}
	c->count = kept;
}

/* An assignment that is in force now, copied.  -E2BIG, -ENOMEM. */
static int
record(struct settings *c, const char *section, const char *key, const char *value,
       const char *origin)
{
	struct setting *grown, s;

	drop_replaced(c, section, key, value);
	if (c->count == SETTINGS_MAX)
		return -E2BIG;
	grown = realloc(c->list, (c->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	c->list = grown;
	s = (struct setting){ strdup(section), strdup(key), strdup(value), strdup(origin) };
	if (s.section == NULL || s.key == NULL || s.value == NULL || s.origin == NULL) {
		free_setting(&s);
		return -ENOMEM;
	}
	grown[c->count++] = s;
	return 0;
}

static void
forget(struct settings *c)
{
	for (size_t i = 0; i < c->count; i++)
		free_setting(&c->list[i]);
	free(c->list);
}

void
settings_each(const struct settings *c, void (*each)(void *ctx, const struct setting *setting),
	      void *ctx)
{
	for (size_t i = 0; i < c->count; i++) {
		bool first_of_section = true;

		/* WHY: lines of one section may come from several files; they are shown together.
		 */
		for (size_t k = 0; k < i && first_of_section; k++)
			first_of_section = strcmp(c->list[k].section, c->list[i].section) != 0;
		for (size_t k = i; first_of_section && k < c->count; k++)
			if (strcmp(c->list[k].section, c->list[i].section) == 0)
				each(ctx, &c->list[k]);
	}
}

/* ---- loading -------------------------------------------------------------------------------- */

/* One load. */
struct loading {
	struct settings *settings;
	char *error; /* SETTINGS_ERROR_MAX */
	int result;  /* the first failure */
	const char *path;
	FILE *file;
	unsigned line;
};

/* Notes the first failure, with file and line where there is one. */
PRINTF_LIKE(3, 4)
static void
fail(struct loading *l, int error, const char *format, ...)
{
	int used = 0;
	va_list args;

	if (l->result < 0)
		return;
	l->result = error;
	if (l->path != NULL && l->line > 0)
		used = snprintf(l->error, SETTINGS_ERROR_MAX, "%.200s:%u: ", l->path, l->line);
	else if (l->path != NULL)
		used = snprintf(l->error, SETTINGS_ERROR_MAX, "%.200s: ", l->path);
	va_start(args, format);
	(void)vsnprintf(l->error + used, (size_t)(SETTINGS_ERROR_MAX - used), format, args);
	va_end(args);
}

/*
 * WHY: inih ends a key at the first ":" as at the first "=", and a device path has colons.
 * Their stand-in comes from no file: control characters are refused.
 */
static void
hide_colons(char *line)
{
	char *equals = strchr(line, '='), *usb = strstr(line, "-usb");

	if (equals == NULL || usb == NULL || usb > equals || strchr(";#[", line[0]) != NULL)
		return;
	for (char *p = line; p < equals; p++)
		if (*p == ':')
			*p = HIDDEN_COLON;
}

static const char *
show_colons(const char *key, char *copy, size_t size)
{
	copy_text(copy, size, key);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == HIDDEN_COLON)
			*p = ':';
	return copy;
}

/* inih calls this for every assignment; 0 would stop nothing, so the first failure is kept in l. */
static int
on_ini_assignment(void *ctx, const char *section, const char *key, const char *value)
{
	struct loading *l = ctx;
	char why[SETTINGS_WHY_MAX], origin[PATH_MAX + 16], shown[KEY_MAX];
	int r;

	if (l->result < 0)
		return 1;
	key = show_colons(key, shown, sizeof(shown));
	if (settings_set(l->settings, section, key, value, why) < 0) {
		fail(l, -EINVAL, "%s", why);
		return 1;
	}
	(void)snprintf(origin, sizeof(origin), "%s:%u", l->path, l->line);
	r = record(l->settings, section, key, value, origin);
	if (r == -E2BIG)
		fail(l, r, "more than %d settings", SETTINGS_MAX);
	else if (r < 0)
		fail(l, r, "no memory");
	return 1;
}

/* A section without keys is never handed to the handler: its name is checked as it is read. */
static void
check_section_line(struct loading *l, const char *text)
{
	char name[64];
	size_t length = strcspn(text + 1, "]");

	if (text[1 + length] != ']') {
		fail(l, -EINVAL, "\"]\" is missing");
		return;
	}
	/* LIMIT: inih cuts a longer name (MAX_SECTION 50) without a word. */
	if (length >= 49) {
		fail(l, -EINVAL, "the section's name is too long");
		return;
	}
	copy_text(name, length + 1, text + 1);
	if (!settings_section_exists(name))
		fail(l, -EINVAL, "there is no section [%s]", name);
}

/* SPEC: U+FEFF in UTF-8, which some editors put in front of a file. */
static bool
is_byte_order_mark(const struct loading *l, int c)
{
	return l->line == 1 && (c == 0xEF || c == 0xBB || c == 0xBF);
}

/* One line without its newline; false at the end of the file. */
static bool
read_line(struct loading *l, char *line, size_t size)
{
	size_t used = 0;
	int c;

	while ((c = getc(l->file)) != EOF && c != '\n') {
		if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7F)
			fail(l, -EINVAL, "a control character");
		/* WHY: inih takes an indented line for more of the value before it. */
		if (used == 0 && (c == ' ' || c == '\t' || is_byte_order_mark(l, c)))
			continue;
		if (used + 1 < size)
			line[used++] = (char)c;
		else
			fail(l, -EINVAL, "the line is longer than %zu characters", size - 1);
	}
	line[used] = '\0';
	return c != EOF || used > 0;
}

/* SPEC: inih's ini_reader: as fgets().  Counts the lines, which inih does not tell. */
static char *
on_ini_read(char *str, int num, void *stream)
{
	struct loading *l = stream;

	l->line++;
	if (!read_line(l, str, (size_t)num) || l->result < 0)
		return NULL;
	if (str[0] == '[')
		check_section_line(l, str);
	else if (str[strspn(str, "\r")] != '\0' && strchr(";#", str[0]) == NULL &&
		 strpbrk(str, "=:") == NULL)
		fail(l, -EINVAL, "neither a [section] nor \"key = value\"");
	hide_colons(str);
	return l->result < 0 ? NULL : str;
}

/* Opens a regular file; NULL with l failed, or with it fine when there is none or it is /dev/null
 * (masked). */
static FILE *
open_file(struct loading *l, bool has_to_exist)
{
	FILE *file = NULL;
	struct stat st;
	int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		if (errno != ENOENT || has_to_exist)
			fail(l, -errno, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0)
		fail(l, -errno, "cannot be read: %s", strerror(errno));
	else if (S_ISREG(st.st_mode) && st.st_size > FILE_BYTES_MAX)
		fail(l, -EFBIG, "larger than %d bytes", FILE_BYTES_MAX);
	else if (S_ISREG(st.st_mode))
		file = fdopen(fd, "r");
	else if (!S_ISCHR(st.st_mode))
		fail(l, -EINVAL, "not a regular file");
	if (file == NULL)
		(void)close(fd);
	return file;
}

static void
load_one(struct loading *l, const char *path, bool has_to_exist)
{
	int bad_line;

	l->path = path;
	l->line = 0;
	l->file = open_file(l, has_to_exist);
	if (l->file == NULL)
		return;
	/* A key behind a comment, as in "key ; = value", is none for inih alone. */
	bad_line = ini_parse_stream(on_ini_read, l, on_ini_assignment, l);
	if (bad_line > 0) {
		l->line = (unsigned)bad_line;
		fail(l, -EINVAL, "neither a [section] nor \"key = value\"");
	} else if (bad_line < 0) {
		fail(l, -ENOMEM, "no memory");
	}
	if (ferror(l->file))
		fail(l, -EIO, "cannot be read");
	(void)fclose(l->file);
	l->file = NULL;
}

static const char *
name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The one with the least name behind last; of equal names the one that was found first. */
static const char *
next_dropin(const glob_t *found, const char *last)
{
	const char *next = NULL;

	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *path = found->gl_pathv[i];

		if ((last == NULL || strcmp(name_of(path), name_of(last)) > 0) &&
		    (next == NULL || strcmp(name_of(path), name_of(next)) < 0))
			next = path;
	}
	return next;
}

static void
find_dropins(struct loading *l, const char *dir, glob_t *found)
{
	char path[PATH_MAX], pattern[PATH_MAX + 8];
	int r;

	(void)snprintf(path, sizeof(path), "%s/" DROPIN_DIR, dir);
	(void)snprintf(pattern, sizeof(pattern), "%s/*.conf", path);
	l->path = path;
	l->line = 0;
	if (access(path, R_OK) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			fail(l, -errno, "cannot be read: %s", strerror(errno));
	} else {
		r = glob(pattern, GLOB_NOSORT | (found->gl_pathv != NULL ? GLOB_APPEND : 0), NULL,
			 found);
		if (r != 0 && r != GLOB_NOMATCH)
			fail(l, -ENOMEM, "no memory");
		else if (found->gl_pathc > DROPINS_MAX)
			fail(l, -E2BIG, "more than %d drop-ins", DROPINS_MAX);
	}
	l->path = NULL;
}

static void
load_dropins(struct loading *l, const char *const *dirs)
{
	glob_t found = { .gl_pathc = 0 };
	const char *path = NULL;

	for (; *dirs != NULL && l->result == 0; dirs++)
		find_dropins(l, *dirs, &found);
	while (l->result == 0 && (path = next_dropin(&found, path)) != NULL)
		load_one(l, path, true);
	l->path = NULL;
	globfree(&found);
}

static void
load_main(struct loading *l, const char *const *dirs)
{
	char path[PATH_MAX];

	for (; *dirs != NULL; dirs++) {
		(void)snprintf(path, sizeof(path), "%s/" FILE_NAME, *dirs);
		if (access(path, F_OK) == 0 || errno != ENOENT) {
			load_one(l, path, false);
			break;
		}
	}
	l->path = NULL;
}

static void
load_defaults(struct loading *l)
{
	const char *section, *key, *value;
	char why[SETTINGS_WHY_MAX];

	for (size_t i = 0; settings_default(i, &section, &key, &value); i++) {
		int r = settings_set(l->settings, section, key, value, why);

		assert(r == 0); /* a default that its own key refuses is our bug */
		if (r < 0 || record(l->settings, section, key, value, "default") < 0)
			fail(l, -ENOMEM, "no memory");
	}
}

/* Where the section's first setting stands, for an error that only the end of the file shows. */
static const char *
origin_of_section(const struct settings *c, const char *section)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i].section, section) == 0)
			return c->list[i].origin;
	return FILE_NAME;
}

static int
begin(struct loading *l, char *error)
{
	error[0] = '\0';
	*l = (struct loading){ .settings = calloc(1, sizeof(*l->settings)), .error = error };
	if (l->settings == NULL)
		fail(l, -ENOMEM, "no memory");
	else
		load_defaults(l);
	return l->result;
}

static int
finish(struct loading *l, struct settings **ret_settings)
{
	char section[SETTINGS_WHY_MAX], why[SETTINGS_WHY_MAX];

	l->path = NULL;
	if (l->result == 0 && settings_check(l->settings, section, why) < 0)
		fail(l, -EINVAL, "%s: [%s]: %s", origin_of_section(l->settings, section), section,
		     why);
	if (l->result == 0)
		l->result = settings_load_keys(l->settings, l->error);
	if (l->result < 0)
		settings_free(l->settings);
	else
		*ret_settings = l->settings;
	return l->result;
}

int
settings_load(const char *file, const char *const *dirs, struct settings **ret_settings,
	      char ret_error[SETTINGS_ERROR_MAX])
{
	struct loading l;

	if (dirs == NULL)
		dirs = installed_dirs;
	if (begin(&l, ret_error) == 0 && file != NULL)
		load_one(&l, file, true);
	else if (l.result == 0)
		load_main(&l, dirs);
	if (l.result == 0 && file == NULL)
		load_dropins(&l, dirs);
	return finish(&l, ret_settings);
}

void
settings_free(struct settings *c)
{
	if (c == NULL)
		return;
	forget(c);
	free(c);
}

void
settings_replace(struct settings *c, struct settings *take_fresh)
{
	forget(c);
	*c = *take_fresh;
	free(take_fresh);
}
