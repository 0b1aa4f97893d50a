/* SPDX-License-Identifier: MIT */
/*
 * Is all of a Crazyflie image there?  A cut-off file still has good vectors and the right base, and
 * a drone that gets it stays dark: what every whole build has is demanded, and only the operator's
 * word for an incomplete image lifts that.
 */
#include "config.h"

#include "firmware/judge_internal.h"

#include <inttypes.h>
#include <stdarg.h>

#define BLANK_MAX 20U /* more blank bytes at the end of the values are a missing tail */

/*
 * Is the last record where it was measured from the end (doc/firmware.md 3)?  A cut behind it moves
 * it; enough where nothing better is there.  WHY not 0x54 as well, where everything is switched
 * off: there the record before is, when a cut took half of the last one.
 */
static bool
is_table_in_place(const struct content *c)
{
	uint32_t from_end;

	if (c->record_count == 0)
		return false;
	from_end = c->addr + c->size - c->records[c->record_count - 1].addr;
	return from_end == (c->new_records ? 0x58U : 0x1584U);
}

/* Other refusals that would stay need no second word. */
static bool
is_past_help(const struct content *c)
{
	return c->base != CONTENT_BASE_RIGHT || c->reset - c->addr >= c->size;
}

static void PRINTF_LIKE(3, 4)
    say(struct judgement *j, const struct judge_options *o, const char *format, ...)
{
	char what[JUDGE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (o->incomplete)
		judge_add(j, JUDGE_WARN, JUDGE_INCOMPLETE,
			  "taken as it is (--incomplete), though not whole: %s", what);
	else
		judge_add(j, JUDGE_REFUSE, JUDGE_INCOMPLETE,
			  "the image is not whole: %s; download or build it again%s", what,
			  is_past_help(&j->content) ? "" : " (--incomplete takes it as it is)");
}

/*
 * The mark at the file's end leads elsewhere, and the start code does not say that the end is here:
 * what lies before has lost bytes or got some.
 */
static bool
is_mark_off(const struct content *c)
{
	return c->trailer == CONTENT_NO && c->end.data != c->addr + c->size;
}

/* The image's own word on where it ends; false when something was said. */
static bool
ends_as_it_says(struct judgement *j, const struct judge_options *o)
{
	const struct content *c = &j->content;
	uint32_t end = c->addr + c->size;

	if (c->end.data > end) {
		say(j, o,
		    "its start code copies data up to 0x%08" PRIX32 ", but it ends at 0x%08" PRIX32
		    ", %" PRIu32 " bytes before",
		    c->end.data, end, c->end.data - end);
		return false;
	}
	if (c->end.mark != 0)
		return true;
	if (is_mark_off(c)) {
		say(j, o,
		    "its end mark does not lead to version and revision: bytes before it are "
		    "missing, or too many");
		return false;
	}
	if (c->end.blank_bytes > BLANK_MAX) {
		say(j, o, "its last %" PRIu32 " bytes are blank", c->end.blank_bytes);
		return false;
	}
	if (c->end.data == 0 && !is_table_in_place(c)) {
		say(j, o, "nothing in it shows where it ends");
		return false;
	}
	return true;
}

void
judge_whole(struct judgement *j, const struct judge_options *o)
{
	const struct content *c = &j->content;

	/* WHY not of a wrong base: that explains what lies outside. */
	if (!c->bitcraze || c->loader || !c->vectors || c->base == CONTENT_BASE_WRONG)
		return;
	if (!ends_as_it_says(j, o))
		return;
	if (c->end.gap_bytes > 0)
		say(j, o,
		    "%" PRIu32 " bytes from 0x%08" PRIX32 " are missing, between what is before "
		    "and behind them",
		    c->end.gap_bytes, c->end.gap_addr);
	else if (c->handlers_outside > 0)
		say(j, o, "%u interrupt vectors lead outside of it", c->handlers_outside);
	else if (c->record_count == 0)
		say(j, o, "the table of the boards that it is for is missing");
	else if (c->end.hole_addr != 0)
		say(j, o, "the 2 KiB from 0x%08" PRIX32 " are blank", c->end.hole_addr);
	else if (c->end.mark == 0 && (c->new_records || c->end.data == 0 || c->end.blank_bytes > 0))
		judge_add(j, JUDGE_WARN, JUDGE_TRAILER,
			  "has no end mark, as most builds do: its last %u bytes could not be "
			  "checked",
			  BLANK_MAX);
}
