/* SPDX-License-Identifier: MIT */
/* Fates as text. */
#include "config.h"

#include "sim/fate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[FATE_COUNT] = {
	[FATE_NONE] = "none",
	[FATE_STALL] = "stall",
	[FATE_EPROTO] = "eproto",
	[FATE_LOST_ACK] = "lost-ack",
	[FATE_NO_ANSWER] = "no-answer",
	[FATE_SILENT] = "silent",
	[FATE_LATE] = "late",
	[FATE_SLOW] = "slow",
	[FATE_DISCONNECT] = "disconnect",
	[FATE_POWER_LOSS] = "power-loss",
	[FATE_RESET_RUNTIME] = "reset-runtime",
	[FATE_ASSERT] = "assert",
	[FATE_WRONG_STATE] = "wrong-state",
	[FATE_STATUS] = "status",
	[FATE_GARBAGE] = "garbage",
	[FATE_SHORT] = "short",
	[FATE_OVERFLOW] = "overflow",
	[FATE_NOMEM] = "nomem",
	[FATE_FLIP_WRITE] = "flip-write",
	[FATE_FLIP_READ] = "flip-read",
	[FATE_BUSY_FOREVER] = "busy-forever",
	[FATE_POLL_HUGE] = "poll-huge",
	[FATE_POLL_ZERO] = "poll-zero",
	[FATE_SWAP_NOW] = "swap-now",
	[FATE_NO_LEAVE] = "no-leave",
	[FATE_LEAVE_RUNTIME] = "leave-runtime",
	[FATE_LEAVE_DFU] = "leave-dfu",
	[FATE_LEAVE_NOTHING] = "leave-nothing",
	[FATE_NO_SWITCH] = "no-switch",
	[FATE_SWITCH_LOST] = "switch-lost",
	[FATE_SWAP] = "swap",
	[FATE_SWAP_BACK] = "swap-back",
	[FATE_NO_SERIAL] = "no-serial",
	[FATE_CUT_STRINGS] = "cut-strings",
	[FATE_HOSTILE_STRINGS] = "hostile-strings",
	[FATE_DUP_SERIAL] = "dup-serial",
	[FATE_LIAR] = "liar",
	[FATE_OPEN_BUSY] = "open-busy",
	[FATE_OPEN_ACCESS] = "open-access",
	[FATE_DARK] = "dark",
};

static const char *const modes[FATE_MODE_COUNT] = {
	[FATE_MODE_ANY] = "any",
	[FATE_MODE_RUNTIME] = "runtime",
	[FATE_MODE_DFU] = "dfu",
};

static const char *const requests[FATE_ON_COUNT] = {
	[FATE_ON_ANY] = "any",
	[FATE_ON_DETACH] = "detach",
	[FATE_ON_DNLOAD] = "dnload",
	[FATE_ON_UPLOAD] = "upload",
	[FATE_ON_GETSTATUS] = "getstatus",
	[FATE_ON_CLRSTATUS] = "clrstatus",
	[FATE_ON_GETSTATE] = "getstate",
	[FATE_ON_ABORT] = "abort",
	[FATE_ON_COMMAND] = "command",
	[FATE_ON_DATA] = "data",
	[FATE_ON_LEAVE] = "leave",
	[FATE_ON_STANDARD] = "standard",
	[FATE_ON_VENDOR] = "vendor",
	[FATE_ON_BULK_OUT] = "bulk-out",
	[FATE_ON_BULK_IN] = "bulk-in",
	[FATE_ON_RESET] = "reset",
};

/* Other words for the same, as people say them. */
static const struct {
	const char *word;
	enum fate_kind kind;
	uint32_t value;
} aliases[] = {
	{ "err-vendor", FATE_STATUS, 11 },
	{ "err-target", FATE_STATUS, 1 },
	{ "err-write", FATE_STATUS, 3 },
};

const char *
fate_name(enum fate_kind kind)
{
	return (unsigned)kind < FATE_COUNT ? kinds[kind] : NULL;
}

const char *
fate_request_name(enum fate_request on)
{
	return (unsigned)on < FATE_ON_COUNT ? requests[on] : NULL;
}

bool
fate_is_by_request(enum fate_kind kind)
{
	return kind > FATE_NONE && kind <= FATE_SWAP_NOW;
}

static int
find(const char *const *names, unsigned count, const char *word)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names[i], word) == 0)
			return (int)i;
	return -EINVAL;
}

static int
parse_name(const char *word, struct fate *f)
{
	int i = find(kinds, FATE_COUNT, word);

	if (i >= 0) {
		f->kind = (enum fate_kind)i;
		return 0;
	}
	for (unsigned k = 0; k < ARRAY_LEN(aliases); k++)
		if (strcmp(aliases[k].word, word) == 0) {
			f->kind = aliases[k].kind;
			f->value = aliases[k].value;
			f->has_value = true;
			return 0;
		}
	return -EINVAL;
}

static int
parse_number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || v > UINT32_MAX || *text == '-')
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int
set(struct fate *f, const char *key, const char *value)
{
	int i;

	if (strcmp(key, "in") == 0) {
		i = find(modes, FATE_MODE_COUNT, value);
		f->mode = (enum fate_mode)(i < 0 ? 0 : i);
		return i < 0 ? i : 0;
	}
	if (strcmp(key, "on") == 0) {
		i = find(requests, FATE_ON_COUNT, value);
		f->on = (enum fate_request)(i < 0 ? 0 : i);
		return i < 0 ? i : 0;
	}
	if (strcmp(key, "at") == 0)
		return parse_number(value, &f->at);
	if (strcmp(key, "count") == 0)
		return strcmp(value, "forever") == 0 ? (f->count = UINT32_MAX, 0)
						     : parse_number(value, &f->count);
	if (strcmp(key, "back") == 0)
		return parse_number(value, &f->back_ms);
	if (strcmp(key, "value") != 0)
		return -EINVAL;
	f->has_value = true;
	return parse_number(value, &f->value);
}

int
fate_parse(const char *text, struct fate *ret, char *error, size_t error_size)
{
	struct fate f = { .at = 1, .count = 1 };
	char copy[256], *save = NULL, *word;

	if (strlen(text) >= sizeof(copy)) {
		(void)snprintf(error, error_size, "a fate of more than %zu characters",
			       sizeof(copy) - 1);
		return -EINVAL;
	}
	copy_text(copy, sizeof(copy), text);
	word = strtok_r(copy, " \t", &save);
	if (word == NULL || parse_name(word, &f) < 0) {
		(void)snprintf(error, error_size, "no fate is called '%s'",
			       word != NULL ? word : "");
		return -EINVAL;
	}
	while ((word = strtok_r(NULL, " \t", &save)) != NULL) {
		char *value = strchr(word, '=');

		if (value != NULL)
			*value++ = '\0';
		if (value == NULL || set(&f, word, value) < 0) {
			(void)snprintf(error, error_size,
				       "'%s': keys are at, count, in, on, value, back", word);
			return -EINVAL;
		}
	}
	*ret = f;
	return 0;
}

static size_t
add(char *text, size_t size, size_t n, const char *key, const char *value)
{
	int r;

	if (n >= size)
		return n;
	r = snprintf(text + n, size - n, "%s%s", key, value);
	return r > 0 ? n + (size_t)r : n;
}

void
fate_print(const struct fate *f, char *text, size_t size)
{
	char number[16];
	size_t n;

	text[0] = '\0';
	if ((unsigned)f->kind >= FATE_COUNT)
		return;
	n = add(text, size, 0, "", kinds[f->kind]);
	(void)snprintf(number, sizeof(number), "%u", f->at);
	n = add(text, size, n, " at=", number);
	if (f->mode != FATE_MODE_ANY)
		n = add(text, size, n, " in=", modes[f->mode]);
	if (f->on != FATE_ON_ANY)
		n = add(text, size, n, " on=", requests[f->on]);
	(void)snprintf(number, sizeof(number), "%u", f->count);
	if (f->count > 1)
		n = add(text, size, n, " count=", number);
	(void)snprintf(number, sizeof(number), "%u", f->value);
	if (f->has_value)
		n = add(text, size, n, " value=", number);
	(void)snprintf(number, sizeof(number), "%u", f->back_ms);
	if (f->back_ms > 0)
		(void)add(text, size, n, " back=", number);
}
