/* SPDX-License-Identifier: MIT */
/* Zip archives of unknown origin: structure checked whole before libzip sees it; members by number.
 */
#ifndef FIRMWARE_FW_ZIP_H
#define FIRMWARE_FW_ZIP_H

#include "firmware/fw_loading.h"

struct json_t;
struct zip;

#define FW_ZIP_MEMBERS_MAX 64			      /* LIMIT: a release has about ten */
#define FW_ZIP_MEMBER_BYTES_MAX (16U * 1024U * 1024U) /* LIMIT: doc/faults.md F6 */
#define FW_ZIP_INNER_BYTES_MAX (6U * 1024U * 1024U)   /* LIMIT: twice a release */
#define FW_ZIP_NAME_MAX 200 /* LIMIT: names of some thirty characters, and folders around them */

struct fw_zip {
	struct zip *archive;
	size_t count;
	char names[FW_ZIP_MEMBERS_MAX][FW_ZIP_NAME_MAX + 1]; /* folders end in "/" */
};

/* The part of a member's name behind its folders. */
const char *fw_zip_base(const char *name);

/* The file of that name in the folder of this member; in another case, if there is but one. */
bool fw_zip_beside(const struct fw_zip *z, size_t index, const char *name, size_t *ret_index);

struct fw_member {
	uint8_t *bytes; /* free() */
	size_t size;
};

/*
 * 0 when l->data is a zip archive without a trick in it: central directory and local headers agree,
 * nothing overlaps, no encryption, no name twice, no name that leaves the folder, nothing that
 * unpacks to more than 16 MiB.  Otherwise a refusal.  (APPNOTE.TXT 6.3, sections 4.3 to 4.5; zip64
 * too.)
 */
int fw_zip_check(struct fw_loading *l) MUST_CHECK;

/* Checks l->data, which has to live as long, and opens it.  0 or a refusal. */
int fw_zip_open(struct fw_loading *l, struct fw_zip **ret_zip) MUST_CHECK;
void fw_zip_close(struct fw_zip *z); /* NULL is fine */

/* Unpacks a member; a refusal when it is larger than max, empty or damaged. */
int fw_zip_read(struct fw_loading *l, struct fw_zip *z, size_t index, size_t max,
		struct fw_member *ret_member) MUST_CHECK;

/*
 * fw_parts.c: the parts of a release beside the STM32's image.  Notes an entry of the manifest's
 * "files" for each of its targets; reads and judges them all, and leaves out, with a note, what is
 * missing, damaged or refused.  0 or -ENOMEM.
 */
void fw_parts_note(struct fw_facts *facts, const char *name, const struct json_t *file);
int fw_parts_load(struct fw_loading *l, struct fw_zip *z, size_t manifest) MUST_CHECK;

#endif
