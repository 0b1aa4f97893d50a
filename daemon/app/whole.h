/* SPDX-License-Identifier: MIT */
/*
 * The whole drone as JSON: what was seen of it beside the STM32's bytes, and whether that is fit to
 * fly.  One form for status and records: types Remaining, Nrf, Deck and Radio of org.cfdfu.Station.
 */
#ifndef APP_WHOLE_H
#define APP_WHOLE_H

#include <jansson.h>

struct condition;
struct radio_block;
struct services;
struct slot_view;

/* The members ready, ready_note, remaining, selftest, nrf, decks, radio, battery_mv, crash; in this
 * order, so that equal ones are equal as text. */
json_t *whole_slot(const struct services *sv, unsigned slot, const struct slot_view *v);
char *whole_text(json_t *take_value); /* free(); NULL of null, or without memory */
json_t *whole_decks(const struct condition *c);
json_t *whole_radio(const struct radio_block *b); /* null: not read, or not valid */

#endif
