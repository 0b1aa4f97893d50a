/* SPDX-License-Identifier: MIT */
/* Zip archives of unknown origin: structure checked whole before libzip sees it; members by name.
 */
#ifndef FIRMWARE_FW_ZIP_H
#define FIRMWARE_FW_ZIP_H

#include "firmware/fw_parts.h"

#define FW_ZIP_MEMBERS_MAX 64			      /* LIMIT: a release has about ten */
#define FW_ZIP_MEMBER_BYTES_MAX (16U * 1024U * 1024U) /* LIMIT: robustness notes F6 */

/*
 * 0 when l->data is a zip archive without a trick in it: central directory and local headers agree,
 * nothing overlaps, no encryption, no name twice, no name that leaves the folder, nothing that
 * unpacks to more than 16 MiB.  Otherwise a refusal.  (APPNOTE.TXT 6.3, sections 4.3 and 4.4.)
 */
int fw_zip_check(struct fw_loading *l) MUST_CHECK;

/*
 * Unpacks the member of that name into heap bytes (free()).  1; 0 when there is none; or a refusal:
 * larger than max, empty, damaged.
 */
int fw_zip_read(struct fw_loading *l, const char *name, size_t max, uint8_t **ret_bytes,
		size_t *ret_size) MUST_CHECK;

#endif
