/* SPDX-License-Identifier: MIT */
/*
 * Names of drones, by their run-time serials: from [drones] of the configuration, which count
 * first, and from the records, where `drone set --name` puts them.
 *
 * INVARIANT: no two drones have one name, in whatever letters [names_serial].
 */
#ifndef APP_NAMES_H
#define APP_NAMES_H

#include <stdbool.h>

#include "app/settings.h"
#include "cfdfu/util.h"

struct names;
struct services;

int names_new(const struct services *sv, struct names **ret_names) MUST_CHECK; /* -ENOMEM */
void names_free(struct names *n);					       /* NULL is fine */
/* Reads those of the records.  0 or negative errno of the store. */
int names_load(struct names *n) MUST_CHECK;

/* The name of the drone with this serial, or NULL; also of serial NULL, and of n NULL: there are no
 * names yet. */
const char *names_of(const struct names *n, const char *serial);
/* The serial of the drone that has this name, in whatever letters, or NULL. */
const char *names_serial(const struct names *n, const char *name);
/* Calls each() for every drone with a name. */
void names_each(const struct names *n, void (*each)(void *ctx, const char *serial), void *ctx);

/*
 * Names a drone in the records; name NULL: takes it back.  0; -EINVAL with ret_why: it may not be
 * called so, or another drone is, or the configuration says otherwise; or negative errno of the
 * store, ret_why "".
 */
int names_set(struct names *n, const char *serial, const char *name,
	      char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;

#endif
