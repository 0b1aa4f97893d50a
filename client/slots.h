/* SPDX-License-Identifier: MIT */
/* The station's slots as last reported, kept up to date from the replies of Watch. */
#ifndef CLIENT_SLOTS_H
#define CLIENT_SLOTS_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/util.h"
#include "client/out.h"

struct slots;

/* Called for each slot in a reply; before is NULL for one that was not known. */
typedef void slots_changed(void *ctx, const json_t *before, const json_t *after);

int slots_new(struct slots **ret_slots) MUST_CHECK;
void slots_free(struct slots *s); /* NULL is fine */

/* Applies one reply.  changed may be NULL.  0 or -ENOMEM. */
int slots_apply(struct slots *s, const json_t *reply, slots_changed *changed, void *ctx) MUST_CHECK;

const json_t *slots_station(const struct slots *s); /* NULL before the first reply */

/* All slots sorted by port, a new reference; NULL when memory ran out. */
json_t *slots_sorted(const struct slots *s);

/* The same of any list of slots. */
json_t *slots_sort(const json_t *list);

/* Puts those that need an operator first, the worst before all.  0 or -ENOMEM. */
int slots_put_bad_first(json_t *list) MUST_CHECK;

/* Digits from the front that tell the serials of these slots or attempts apart. */
size_t slots_serial_digits(const json_t *list);

/* Questions about one slot. */
const char *slot_verdict(const json_t *slot); /* NULL: none */
bool slot_is_active(const json_t *slot);      /* queued or being worked on */
bool slot_has_failed(const json_t *slot);     /* fail, needs-button, interrupted, quarantined */

/* How it counts, a word of the interface: the service decides (member class of type Slot). */
const char *slot_class(const json_t *slot);

/* By its class: how an operator treats the drone that is plugged in there. */
enum slot_fate {
	SLOT_FATE_NONE,	   /* nothing is there */
	SLOT_FATE_ACTIVE,  /* leave it plugged in */
	SLOT_FATE_WAITING, /* its turn comes when the station may begin it */
	SLOT_FATE_DONE,	   /* seen to be good: take it away */
	SLOT_FATE_ASIDE,   /* not good: set it aside, something has to be done about it */
	SLOT_FATE_ALONE,   /* the station does nothing with it: skipped, foreign, unserved */
	SLOT_FATE_UNSURE,  /* of slot_place(): bytes are right; whether it is ready was not seen */
};
enum slot_fate slot_fate(const json_t *slot);
/* The same, but that only a drone that is ready is taken away as done. */
enum slot_fate slot_place(const json_t *slot);

/* How much it needs an operator, 0 (not at all) to 4; those that failed have 3 and more. */
unsigned slot_severity(const json_t *slot);

/*
 * The work on it in a word for people: "flashing" while its sectors are erased, written and
 * verified, which take turns about every second; else its state.
 */
struct text slot_work(const json_t *slot);

/* Why it is not good, in a few words: "needs the button", "FAIL: gone while writing"; else "". */
void slot_words(const json_t *slot, char *dst, size_t size);

/*
 * Is the drone as a whole fit to fly?  "READY", "NOT READY", "unknown"; "checking" while it is
 * looked at; "": it is not said.
 */
const char *slot_ready_word(const json_t *slot);
enum colour slot_ready_colour(const json_t *slot);
bool slot_is_ready(const json_t *slot);
bool slot_is_checking(const json_t *slot);
/* "power-cycle, deck": left to be done before it is; else "". */
void slot_remaining(const json_t *slot, char *dst, size_t size);
/* Of one whose bytes are right: "NOT READY: power-cycle, deck", "READY", ...; else "". */
void slot_ready_words(const json_t *slot, char *dst, size_t size);
/* The same in sentences: what is left to do, or was not seen; "" where it is ready. */
struct text slot_ready_text(const json_t *slot);

/* "A1", or "1-4" of a slot without a label. */
struct text slot_label(const json_t *slot);

/* "A1 (1-4)", or "1-4". */
void slot_name(const json_t *slot, char *dst, size_t size);

/* "A1" where no other of these slots has that label, else as slot_name() has it. */
void slot_short_name(const json_t *slots, const json_t *slot, char *dst, size_t size);

/* Its serial, else its DFU serial, else "". */
const char *slot_serial(const json_t *slot);
struct text slot_short_serial(const json_t *slot, size_t digits); /* so many of it at most */

#endif
