/* SPDX-License-Identifier: MIT */
/*
 * The firmware desk: a file read, loaded and judged with the user's rights; its page for people and
 * programs.
 */
#ifndef CLIENT_DESK_H
#define CLIENT_DESK_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/util.h"
#include "firmware/digest.h"
#include "firmware/fw.h"
#include "firmware/judge.h"

struct invocation;
struct session;

struct desk {
	const char *path;
	char source_name[256]; /* cleaned */
	char source_sha256[DIGEST_TEXT_MAX];
	uint8_t *data; /* the file */
	size_t bytes;
	struct image *image;
	struct fw_facts *facts;
	enum platform told; /* --platform */
	bool as_loader;	    /* judged as a boot loader */
	bool incomplete;    /* --incomplete */
	struct judgement judgement;
};

/* How a file is to be read. */
struct desk_wanted {
	uint32_t addr;	    /* for formats without addresses */
	enum platform told; /* --platform */
	bool any_ids;	    /* whatever VID:PID its suffix has */
	bool application;   /* --application: of a copy of the whole flash memory */
};

/*
 * Reads and loads.  0; or an exit status after having said why (with --json on standard error, as a
 * document).
 */
int desk_open(const struct session *s, const char *path, const struct desk_wanted *wanted,
	      struct desk *ret_desk) MUST_CHECK;

/* The options --address, --platform and --application of the command, over what is wanted. */
int desk_options(const struct invocation *i, struct desk_wanted *wanted) MUST_CHECK;

/*
 * Each file of the command in turn; one that fails stops no other, but a service that is not there
 * does.  The highest exit status of them all.
 */
int desk_each(const struct session *s, const struct invocation *i,
	      int (*run_one)(const struct session *s, const struct invocation *i,
			     const char *path));

/* Judges as an application for a Crazyflie, or as a boot loader.  0 or an exit status (memory). */
int desk_judge(struct desk *d, bool as_loader) MUST_CHECK;

/* After a refusal: the reason and the findings on standard error; EXIT_REFUSED. */
int desk_refuse(const struct session *s, const struct desk *d);
void desk_close(struct desk *d); /* a zeroed one is fine */

/* The page of one file. */
json_t *desk_json(const struct desk *d);
void desk_print(const struct session *s, const struct desk *d);

/* The file on each kind of device that we know, judged by each alone: sectors, or the refusal. */
json_t *desk_devices_json(const struct desk *d);
void desk_print_devices(const struct desk *d);

/* Parts of the page that other commands print, too. */
void desk_print_elements(const struct fw_facts *facts, const struct image *image);
json_t *desk_elements_json(const struct fw_facts *facts, const struct image *image);
void desk_platforms_text(unsigned platforms, char *dst, size_t size);
json_t *desk_findings_json(const struct judgement *j);
json_t *desk_notes_json(const struct fw_facts *facts);

/* The notes of the loading on standard error, for commands without a page. */
void desk_say_notes(const struct desk *d);

#endif
