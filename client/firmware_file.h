/* SPDX-License-Identifier: MIT */
/*
 * A firmware file: read, loaded and judged with the user's rights; its page for people and
 * programs.
 */
#ifndef CLIENT_FIRMWARE_FILE_H
#define CLIENT_FIRMWARE_FILE_H

#include <jansson.h>

#include "firmware/digest.h"
#include "firmware/fw.h"
#include "firmware/judge.h"

struct invocation;
struct params;
struct session;

struct firmware_file {
	const char *path;
	char source_name[256]; /* cleaned */
	char source_sha256[DIGEST_TEXT_MAX];
	uint8_t *data; /* the file */
	size_t bytes;
	char *signature;       /* of it, or of the selection, as a text; NULL: it is not signed */
	const char *selection; /* the text of the selection.json that it stands in; NULL: in none */
	struct image *image;
	struct fw_facts *facts;
	enum platform user_platform; /* --platform */
	bool as_loader;		     /* judged as a boot loader */
	bool incomplete;	     /* --incomplete */
	struct judgement judgement;
};

/* How a file is to be read. */
struct firmware_options {
	uint32_t addr;		     /* for formats without addresses */
	enum platform user_platform; /* --platform */
	bool any_ids;		     /* whatever VID:PID its suffix has */
	bool application;	     /* --application: of a copy of the whole flash memory */
	const char *source;	     /* its name; NULL: the last part of its path */
	const char *sha256;	     /* that it has to have; NULL: any */
};

/*
 * Reads and loads.  0; or an exit status after having said why (with --json on standard error, as a
 * document).
 */
int firmware_file_open(const struct session *s, const char *path,
		       const struct firmware_options *wanted,
		       struct firmware_file *ret_file) MUST_CHECK;

/* The options --address, --platform and --application of the command, over what is wanted. */
int firmware_file_options(const struct invocation *i, struct firmware_options *wanted) MUST_CHECK;

/*
 * Each file of the command in turn; one that fails stops no other, but a service that is not there
 * does.  The highest exit status of them all.
 */
int firmware_file_each(const struct session *s, const struct invocation *i,
		       int (*run_one)(const struct session *s, const struct invocation *i,
				      const char *path));

/* Reads its signature: FILE.minisig beside FILE, or of standard input what --signature says.  0,
 * also when there is none; or an exit status after having said why. */
int firmware_file_read_signature(const struct session *s, const struct invocation *i,
				 struct firmware_file *d) MUST_CHECK;

/* Judges as an application for a Crazyflie, or as a boot loader.  0 or an exit status (memory). */
int firmware_file_judge(struct firmware_file *d, bool as_loader) MUST_CHECK;

/* Calls this method of the service with the image as a sealed DfuSe file; of a signed one with the
 * file as it is, and its signature. */
int firmware_file_send(const struct session *s, const struct firmware_file *f, const char *method,
		       struct params *take_p, json_t **ret_reply) MUST_CHECK;

/*
 * Calls AddFirmwarePart for each part of a release; reply: of AddFirmware, gets those that were
 * stored.  One that is refused stops no other.  The highest exit status of them all.
 */
int firmware_file_send_parts(const struct session *s, const struct firmware_file *d, json_t *reply);

/* Descriptors cannot cross ssh: a cfdfuctl there runs this with the file as its input. */
int firmware_file_send_on(const struct session *s, const struct firmware_file *f,
			  struct invocation *there);

/* After a refusal: the reason and the findings on standard error; EXIT_REFUSED. */
int firmware_file_refuse(const struct session *s, const struct firmware_file *d);
void firmware_file_close(struct firmware_file *d); /* a zeroed one is fine */

/* The page of one file. */
json_t *firmware_page_json(const struct firmware_file *d);
void firmware_page_print(const struct session *s, const struct firmware_file *d);

/* The file on each kind of device that we know, judged by each alone: sectors, or the refusal. */
json_t *firmware_devices_json(const struct firmware_file *d);
void firmware_devices_print(const struct firmware_file *d);

/* The sectors that it touches in one memory of a device, all together; NULL: none. */
json_t *firmware_memory_json(const struct firmware_file *d, const struct device *device,
			     uint8_t alt);

/* Parts of the page that other commands print, too. */
void firmware_elements_print(const struct fw_facts *facts);
json_t *firmware_elements_json(const struct fw_facts *facts);
void firmware_platforms_text(unsigned platforms, char *dst, size_t size);
json_t *firmware_notes_json(const struct fw_facts *facts);

/* Lines of a list of type FirmwarePart; width: of their title. */
void firmware_parts_print(const json_t *parts, int width);

/* The notes of the loading on standard error, for commands without a page. */
void firmware_file_say_notes(const struct firmware_file *d);

#endif
