/* SPDX-License-Identifier: MIT */
/*
 * selection.json: what a site selects for each platform (doc/selection-files.md).  Read only; the
 * signature of these bytes is checked before (signature.h).
 */
#ifndef FIRMWARE_SELECTION_FILE_H
#define FIRMWARE_SELECTION_FILE_H

#include "cfdfu/platform.h"
#include "core/image.h"
#include "firmware/digest.h"

#define SELECTION_BYTES_MAX 16384U /* LIMIT: it goes along with each image, as a parameter */
#define SELECTION_WHY_MAX 256
#define SELECTION_PATH_MAX 128

struct selection_file {
	long long serial;		      /* from 1 on */
	char valid_from[21], valid_until[21]; /* "2026-01-31T12:34:56Z" */
	struct selected_file {
		char name[IMAGE_TEXT_MAX];     /* in the catalogue; "": nothing is selected */
		char sha256[DIGEST_TEXT_MAX];  /* of the file, in small letters */
		char path[SELECTION_PATH_MAX]; /* below the selection's folder; fits into URLs */
	} files[PLATFORM_COUNT];	       /* by platform */
};

/* -EINVAL with the reason in ret_why. */
int selection_file_read(const char *text, size_t length, struct selection_file *ret_selection,
			char ret_why[SELECTION_WHY_MAX]) MUST_CHECK;

#endif
