/* SPDX-License-Identifier: MIT */
/*
 * Where a slot is in the rack, by the settings, so that no client has to read them.
 *
 * Labels of a LETTER and a NUMBER ("B3") tell row and column.  Where no label of [slots] is of that
 * form, and [rack] gives rows and columns, the ports that are known fill them in their order; one
 * that is seen for the first time then moves those behind it.
 */
#ifndef APP_RACK_H
#define APP_RACK_H

#include <jansson.h>

struct services;

/* Row and column from 1; 0: not told. */
struct rack_place {
	unsigned row, column;
};

struct rack_place rack_place(const struct services *sv, unsigned slot);
json_t *rack_size(const struct services *sv); /* type Rack; null: nothing tells a place */
/* Differs when slots have moved that did not change otherwise. */
unsigned rack_revision(const struct services *sv);

#endif
