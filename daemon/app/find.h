/* SPDX-License-Identifier: MIT */
/* What a text of the operator's names, among the slots and the drones of the records. */
#ifndef APP_FIND_H
#define APP_FIND_H

#include "app/target.h"
#include "ctl/server.h"

struct api;

/* records: also drones that are not plugged in. */
void find_target(const struct api *a, const char *text, bool records, struct target *ret_target);
/* The same, among the slots; false after having answered that it names none, or several drones. */
bool find_slots(const struct api *a, struct call *call, const char *text,
		struct target *ret_target);
/* Of one that names nothing, or is ambiguous. */
void find_refuse(const struct api *a, struct call *call, const struct target *t);
/* Where one slot alone can be meant: true after having answered that the target is several. */
bool find_refuse_several(struct call *call, const struct target *t);

#endif
