/* SPDX-License-Identifier: MIT */
/* Where in an archive a release is: at its top, in a folder around everything, in an archive in it.
 */
#ifndef FIRMWARE_FW_LOOK_H
#define FIRMWARE_FW_LOOK_H

#include "firmware/fw_zip.h"

enum fw_look {
	FW_LOOK_MANIFEST = 1, /* the member is the manifest of the one release in it */
	FW_LOOK_ARCHIVE,      /* ... the one archive in it */
};

/* An enum fw_look and the member; or a refusal that says what the archive holds. */
int fw_look_for_release(struct fw_loading *l, const struct fw_zip *z, size_t *ret_index) MUST_CHECK;

/* The file of that name in the folder of this member; in another case, if there is but one. */
bool fw_look_beside(const struct fw_zip *z, size_t index, const char *name, size_t *ret_index);

#endif
