/* SPDX-License-Identifier: MIT */
/*
 * The DfuSe container (UM0391; doc/protocol.md 7) -> image.  All the daemon needs of this
 * folder beside judge and digest: no zip, no JSON.
 */
#ifndef FIRMWARE_FW_DFUSE_H
#define FIRMWARE_FW_DFUSE_H

#include "firmware/fw.h"

/* As fw_load(), for a file that has to be DfuSe. */
int fw_dfuse_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
		  struct fw_error *ret_error) MUST_CHECK;

#endif
