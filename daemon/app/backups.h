/* SPDX-License-Identifier: MIT */
/* Copies of drones' flash from before their first update, kept by serial and thinned by age and
 * number. */
#ifndef APP_BACKUPS_H
#define APP_BACKUPS_H

#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

struct app;
struct job_record;

/* Keeps the bytes of a DfuSe file as backups/SERIAL-TIME.dfu in the state directory.  0 or negative
 * errno. */
int backups_keep(struct app *a, const struct job_record *r, const uint8_t *data,
		 size_t size) MUST_CHECK;

#endif
