/* SPDX-License-Identifier: MIT */
/*
 * cfdfu-pull: fetches what a site has selected and signed, checks all of it, and only then offers
 * it to the station and has it selected there (doc/selection-files.md).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "client/cells.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "core/platform.h"
#include "firmware/selection_file.h"
#include "firmware/signature.h"

enum {
	EXIT_SELECTION = 1,   /* the selection is refused here, before the station sees it */
	EXIT_UNREACHABLE = 5, /* the source */
};
#define SECURE "https://"

static const char usage[] =
    "Usage: cfdfu-pull SOURCE\n"
    "Has the station select what SOURCE, a directory or an https URL, names in selection.json, if\n"
    "a key that is trusted here has signed it with minisign.  See cfdfu-pull(8).\n";

struct pull {
	struct session session;
	const char *source;
	char state_path[PATH_MAX];
	int state_folder;	      /* descriptor */
	char *text, *signature;	      /* of selection.json */
	char sha256[DIGEST_TEXT_MAX]; /* of text */
	struct selection_file selection;
	struct firmware_file files[PLATFORM_COUNT];
};

/* ---- the source ----------------------------------------------------------------------------- */

/* curl says itself what went wrong. */
static int
run_curl(const char *url, int out)
{
	const char *curl = environment("CFDFU_CURL", "curl");
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (dup2(out, STDOUT_FILENO) >= 0)
			execlp(curl, "curl", "--disable", "--silent", "--show-error", "--fail",
			       "--globoff", "--proto", "=https", "--location", "--max-redirs", "5",
			       "--connect-timeout", "20", "--max-time", "300", "--max-filesize",
			       "68157440", url, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Where this file of the source can be opened; of a server, until the program ends. */
static int
locate(const struct pull *p, const char *name, char ret_path[PATH_MAX])
{
	struct stat st;
	int fd = -1, r;

	(void)snprintf(ret_path, PATH_MAX, "%s/%s", p->source, name);
	if (strncmp(p->source, SECURE, strlen(SECURE)) != 0) {
		r = stat(ret_path, &st);
		if (r < 0 || !S_ISREG(st.st_mode)) { /* such as a pipe, without an end */
			say_error("%s: %s", ret_path, r < 0 ? strerror(errno) : "no file");
			r = -1;
		}
	} else {
		r = file_open_memory(&fd);
		if (r == 0)
			r = run_curl(ret_path, fd);
		if (r != 0)
			say_error("%s: not fetched", ret_path);
		(void)snprintf(ret_path, PATH_MAX, "/proc/self/fd/%d", fd);
	}
	return r == 0 ? 0 : EXIT_UNREACHABLE;
}

static int
fetch_text(const struct pull *p, const char *name, char **ret_text)
{
	char path[PATH_MAX], why[FILE_WHY_MAX];
	size_t bytes;
	int r = locate(p, name, path);

	if (r == 0 && file_read(path, FW_FILE_BYTES_MAX, (uint8_t **)ret_text, &bytes, why) != 0) {
		say_error("%s/%s: %s", p->source, name, why);
		r = EXIT_UNREACHABLE;
	}
	return r;
}

/* ---- what is refused here ------------------------------------------------------------------- */

static const char *
trusted(void)
{
	return environment("CFDFU_TRUSTED", SYSCONFDIR "/cfdfud/trusted.d");
}

/* A file that is no key is told and left out. */
static void
read_keys(struct signature_keys *keys)
{
	char pattern[PATH_MAX], why[SIGNATURE_WHY_MAX];
	glob_t found = { .gl_pathc = 0 };

	(void)snprintf(pattern, sizeof(pattern), "%s/*.pub", trusted());
	(void)glob(pattern, 0, NULL, &found); /* WHY: then no key is trusted, which is said */
	for (size_t i = 0; i < found.gl_pathc; i++) {
		uint8_t *data = NULL;
		size_t bytes;

		if (file_read(found.gl_pathv[i], FW_FILE_BYTES_MAX, &data, &bytes, why) != 0 ||
		    signature_add_key(keys, (char *)data, bytes, why) < 0)
			say_error("%s: %s", found.gl_pathv[i], why);
		free(data);
	}
	globfree(&found);
}

static int
fetch_selection(struct pull *p)
{
	struct signature_keys keys = { .count = 0 };
	struct signature_result signature = { .why = "" };
	char why[SELECTION_WHY_MAX] = "";
	uint8_t sum[DIGEST_BYTES];
	int r = fetch_text(p, "selection.json", &p->text);

	if (r == 0)
		r = fetch_text(p, "selection.json" SIGNATURE_ENDING, &p->signature);
	if (r != 0)
		return r;
	read_keys(&keys);
	digest_bytes((uint8_t *)p->text, strlen(p->text), sum);
	digest_format(sum, p->sha256);
	r = signature_check(&keys, p->signature, p->text, strlen(p->text), &signature);
	if (r == 0 && selection_file_read(p->text, strlen(p->text), &p->selection, why) == 0)
		return 0;
	say_error("%s%s/selection.json is refused: %s%s%s%s%s",
		  signature.why[0] != '\0' ? "the signature of " : "", p->source, signature.why,
		  why, r == -ENOKEY ? "; trusted keys: " : "", r == -ENOKEY ? trusted() : "",
		  r == -ENOKEY ? "/*.pub" : "");
	return EXIT_SELECTION;
}

/* Against what was taken last: without its record nothing is taken, as it might be older. */
static int
check_serial(const struct pull *p, bool *ret_done)
{
	FILE *file = fopen(p->state_path, "re");
	long long last = 0, serial = p->selection.serial;
	char sha256[DIGEST_TEXT_MAX], word[8];
	const char *why = NULL;

	if (file == NULL && errno == ENOENT)
		return 0;
	if (file == NULL || fscanf(file, "%lld %64s %7s", &last, sha256, word) != 3)
		why = "the record of the serial that was taken last cannot be read";
	else if (serial < last)
		why = "a later one was taken already";
	else if (serial == last && strcmp(sha256, p->sha256) != 0)
		why = "it was taken already, with other content: a change needs a higher one";
	if (file != NULL)
		(void)fclose(file); /* WHY: nothing was written */
	if (why != NULL)
		say_error("serial %lld is refused: %s (%s)", serial, why, p->state_path);
	*ret_done = why == NULL && serial == last && strcmp(word, "done") == 0;
	return why != NULL ? EXIT_SELECTION : 0;
}

static int
check_time(const struct selection_file *s)
{
	char now[sizeof(s->valid_from)];
	time_t seconds = time(NULL);

	(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
	if (strcmp(now, s->valid_from) >= 0 && strcmp(now, s->valid_until) < 0)
		return 0;
	say_error("serial %lld is refused: %s (now: %s, valid from %s until %s)", s->serial,
		  strcmp(now, s->valid_from) < 0 ? "it is not valid yet" : "it has expired", now,
		  s->valid_from, s->valid_until);
	return EXIT_SELECTION;
}

static int
fetch_release(struct pull *p, enum platform platform)
{
	const struct selected_file *f = &p->selection.files[platform];
	struct firmware_options wanted = { .addr = FW_ADDR_DEFAULT,
					   .user_platform = platform,
					   .source = f->path,
					   .sha256 = f->sha256 };
	char path[PATH_MAX];
	int r = locate(p, f->path, path);

	if (r == 0 && firmware_file_open(&p->session, path, &wanted, &p->files[platform]) != 0)
		r = EXIT_SELECTION;
	return r;
}

/* ---- the station ---------------------------------------------------------------------------- */

/* A part of it that the station refuses is told, and left out. */
static int
offer(struct pull *p, enum platform platform)
{
	struct firmware_file *d = &p->files[platform];
	struct params q = params_new();
	json_t *reply = NULL;
	int r;

	d->signature = p->signature;
	d->selection = p->text;
	params_text(&q, "name", p->selection.files[platform].name);
	params_text(&q, "platform", platform_name(platform));
	params_text(&q, "source_name", d->source_name);
	params_text(&q, "source_sha256", d->source_sha256);
	r = firmware_file_send(&p->session, d, PROTO_METHOD("AddFirmware"), &q, &reply);
	if (r == 0 && firmware_file_send_parts(&p->session, d, reply) == EXIT_NO_DAEMON)
		r = EXIT_NO_DAEMON;
	json_decref(reply);
	return r;
}

/* Durable when it returns 0. */
static int
write_state(const struct pull *p, const char *word)
{
	char text[DIGEST_TEXT_MAX + 32];
	int n = snprintf(text, sizeof(text), "%lld %s %s\n", p->selection.serial, p->sha256, word);
	int r = file_write(p->state_path, (uint8_t *)text, (size_t)n);

	if (r != 0 || fsync(p->state_folder) == 0)
		return r;
	say_error("%s: %s", p->state_path, strerror(errno));
	return EXIT_REFUSED;
}

static int
ask(const struct pull *p, const char *method, struct params *take_q)
{
	json_t *reply = NULL;
	int r = conn_ask(&p->session, method, take_q, &reply);

	out_lines(json_object_get(reply, "notes"));
	json_decref(reply);
	return r == EXIT_USAGE ? EXIT_REFUSED : r; /* the selection's value, not the user's */
}

static int
set_batch_defaults(struct pull *p)
{
	json_t *root = json_loads(p->text, 0, NULL);
	struct params q = params_new();

	(void)json_object_update(q.object, json_object_get(root, "batch")); /* none: taken back */
	json_decref(root);
	return ask(p, PROTO_METHOD("SetBatchDefaults"), &q);
}

static int
select_firmware(struct pull *p, enum platform platform)
{
	const char *name = p->selection.files[platform].name;
	struct params q = params_new();
	int r;

	params_text(&q, "name", name);
	params_text(&q, "platform", platform_name(platform));
	r = ask(p, PROTO_METHOD("SelectFirmware"), &q);
	if (r == 0)
		printf("Selected for %s: %s\n", platform_name(platform), name);
	return r;
}

/* For each platform that something is selected for; the highest exit status of them all. */
static int
each(struct pull *p, int (*step)(struct pull *p, enum platform platform))
{
	int worst = 0, r;

	for (unsigned i = 0; i < PLATFORM_COUNT; i++) {
		r = p->selection.files[i].name[0] != '\0' ? step(p, i) : 0;
		worst = r > worst ? r : worst;
	}
	return worst;
}

static int
run(struct pull *p)
{
	const char *folder = environment("CFDFU_PULL_STATE", LOCALSTATEDIR "/lib/cfdfu-pull");
	bool done = false;
	int r;

	(void)snprintf(p->state_path, sizeof(p->state_path), "%s/serial", folder);
	p->state_folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->state_folder < 0 || flock(p->state_folder, LOCK_EX) < 0) {
		say_error("%s: %s", folder, strerror(errno));
		return EXIT_REFUSED;
	}
	r = fetch_selection(p);
	if (r == 0)
		r = check_serial(p, &done);
	if (r != 0 || done)
		return r;
	r = check_time(&p->selection);
	if (r == 0)
		r = each(p, fetch_release);
	if (r == 0)
		r = each(p, offer);
	if (r == 0)
		r = set_batch_defaults(p);
	if (r == 0)
		r = write_state(p, "begun"); /* from here on no older one is taken any more */
	if (r == 0)
		r = each(p, select_firmware);
	return r == 0 ? write_state(p, "done") : r;
}

int
main(int argc, char **argv)
{
	struct pull p = { .session.socket_path = environment(PROTO_SOCKET_ENV, PROTO_SOCKET_PATH),
			  .source = argc == 2 ? argv[1] : "-" };
	bool help = strcmp(p.source, "--help") == 0 || strcmp(p.source, "-h") == 0;

	if (help || strcmp(p.source, "--version") == 0 || strcmp(p.source, "-V") == 0) {
		fputs(help ? usage : "cfdfu-pull " PACKAGE_VERSION "\n", stdout);
		return EXIT_OK;
	}
	if (strstr(p.source, "://") != NULL && strncmp(p.source, SECURE, strlen(SECURE)) != 0) {
		say_error("neither a directory nor an https URL: %s", p.source);
		return EXIT_USAGE;
	}
	if (p.source[0] == '-' || p.source[0] == '\0') {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	cells_setup();
	exit(run(&p)); /* what it holds goes with it */
}
