/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/radio_write.h"

#include <string.h>

enum {
	CHECKS = 3,
	PAUSE_US = 20000, /* SPEC: the EEPROM's page write takes 5 ms at most */
};

void
radio_write_init(struct radio_write *w, const struct radio_write_setup *setup)
{
	memset(w, 0, sizeof(*w));
	w->setup = *setup;
}

static void
end(struct radio_write *w, enum verdict_kind kind, enum fault fault, enum step step,
    const char *why)
{
	w->phase = RADIO_WRITE_OVER;
	w->verdict = (struct verdict){ .kind = kind, .fault = fault, .step = step };
	w->why = why;
}

static enum fault
fault_of(enum memory_result result)
{
	return result == MEMORY_REFUSED ? FAULT_REFUSED : FAULT_SILENT;
}

/* The block that is there is known now: may it be replaced, and with what? */
static const char *
refusal(const struct radio_write *w)
{
	const struct radio_write_setup *s = &w->setup;

	if (s->wanted.read ? !s->wanted.valid : !radio_block_is_sane(&s->wanted))
		return "channel, rate or address is out of range";
	/* WHY by no force: the record that would put it back holds the one that was shown. */
	if (s->seen.read && memcmp(s->seen.bytes, w->before.bytes, sizeof(s->seen.bytes)) != 0)
		return "its radio configuration is another one than was shown; try again";
	if (!w->before.valid && !s->force)
		return "its radio configuration is damaged; replaced only with --force";
	return NULL;
}

static void
was_read(struct radio_write *w, enum memory_result result, const uint8_t *data)
{
	const char *why;

	if (result != MEMORY_OK) {
		end(w, VERDICT_FAIL, fault_of(result), STEP_COMPARING, NULL);
		return;
	}
	radio_block_decode(&w->before, data);
	why = refusal(w);
	if (why != NULL) {
		end(w, VERDICT_FAIL, FAULT_IMAGE, STEP_COMPARING, why);
		return;
	}
	if (w->setup.wanted.read)
		w->block = w->setup.wanted;
	else
		radio_block_encode(&w->setup.wanted, &w->before, &w->block);
	if (memcmp(w->block.bytes, w->before.bytes, sizeof(w->block.bytes)) == 0)
		end(w, VERDICT_UNCHANGED, FAULT_NONE, STEP_NONE, NULL);
	else
		w->phase = RADIO_WRITE_WRITE;
}

static void
check_soon(struct radio_write *w, uint64_t now_us)
{
	w->phase = RADIO_WRITE_PAUSE;
	w->pause_until_us = now_us + PAUSE_US;
}

/* WHY read back whatever the answer: a lost answer says nothing, and what is there decides. */
static void
wrote(struct radio_write *w, enum memory_result result, uint64_t now_us)
{
	w->sent = true;
	w->wrote = result;
	check_soon(w, now_us);
}

static void
checked(struct radio_write *w, enum memory_result result, const uint8_t *data, uint64_t now_us)
{
	bool equal = result == MEMORY_OK && memcmp(data, w->block.bytes, RADIO_BLOCK_BYTES) == 0;
	bool old = result == MEMORY_OK && memcmp(data, w->before.bytes, RADIO_BLOCK_BYTES) == 0;

	if (equal)
		end(w, VERDICT_PASS, FAULT_NONE, STEP_NONE, NULL);
	else if (result == MEMORY_REFUSED && ++w->checks < CHECKS)
		check_soon(w, now_us);
	else if (result != MEMORY_OK)
		end(w, VERDICT_FAIL, fault_of(result), STEP_VERIFYING,
		    "what its EEPROM holds now is not known");
	else if (w->wrote != MEMORY_OK && old)
		end(w, VERDICT_FAIL, fault_of(w->wrote), STEP_WRITING,
		    "its radio configuration is as it was");
	else
		end(w, VERDICT_FAIL, FAULT_VERIFY, STEP_VERIFYING,
		    old ? "its radio configuration is as it was" : NULL);
}

/* ---- the engine ----------------------------------------------------------------------------- */

static void
next(void *ctx, uint64_t now_us, struct memory_op *ret_op)
{
	struct radio_write *w = ctx;

	*ret_op = (struct memory_op){ .memory = w->setup.memory, .length = RADIO_BLOCK_BYTES };
	if (w->phase == RADIO_WRITE_PAUSE && now_us >= w->pause_until_us)
		w->phase = RADIO_WRITE_CHECK;
	switch (w->phase) {
	case RADIO_WRITE_READ:
	case RADIO_WRITE_CHECK:
		ret_op->kind = MEMORY_READ;
		return;
	case RADIO_WRITE_WRITE:
		ret_op->kind = MEMORY_WRITE;
		ret_op->data = w->block.bytes;
		return;
	case RADIO_WRITE_PAUSE:
		ret_op->kind = MEMORY_PAUSE;
		ret_op->until_us = w->pause_until_us;
		return;
	case RADIO_WRITE_OVER:
		return;
	}
}

static void
done(void *ctx, enum memory_result result, const uint8_t *data, uint64_t now_us)
{
	struct radio_write *w = ctx;

	switch (w->phase) {
	case RADIO_WRITE_READ:
		was_read(w, result, data);
		return;
	case RADIO_WRITE_WRITE:
		wrote(w, result, now_us);
		return;
	case RADIO_WRITE_CHECK:
		checked(w, result, data, now_us);
		return;
	case RADIO_WRITE_PAUSE:
	case RADIO_WRITE_OVER:
		return;
	}
}

struct memory_engine
radio_write_engine(struct radio_write *w)
{
	return (struct memory_engine){ .ctx = w, .next = next, .done = done };
}

struct verdict
radio_write_verdict(const struct radio_write *w, const char **ret_why)
{
	*ret_why = w->why;
	return w->verdict;
}
