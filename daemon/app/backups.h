/* SPDX-License-Identifier: MIT */
/* Copies of drones' flash from before their first update, kept by serial and thinned by age and
 * number. */
#ifndef APP_BACKUPS_H
#define APP_BACKUPS_H

#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

struct job_record;
struct settings;

/* Keeps the bytes of a DfuSe file as backups/SERIAL-TIME.dfu in the state directory, as many and as
 * long as the settings say.  0 or negative errno. */
int backups_keep(const char *state_dir, const struct settings *s, const struct job_record *r,
		 const uint8_t *data, size_t size) MUST_CHECK;

#endif
