/* SPDX-License-Identifier: MIT */
/*
 * The conversation with the real firmware, byte for byte: questions and answers as the firmware of
 * 2026.08 (commit 2a18fc299d7b, its own sources compiled for a PC) gave them, and what it says of
 * itself in between.
 */
#include "config.h"

#include "core/crtp.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

#define ITEMS 305 /* of its table of parameters */

struct bytes {
	size_t n;
	const char *p;
};

#define BYTES(s)                                                                                   \
	{                                                                                          \
		sizeof(s) - 1, s                                                                   \
	}

static const struct bytes console[] = {
	BYTES("\x00---\n"),
	BYTES("\x00SYS: Crazyflie 2.1 is up and r"),
	BYTES("\x00unning!\n"),
	BYTES("\x00STORAGE: Storage check [FAIL]."),
	BYTES("\x00\n"),
	BYTES("\x00SYS: NRF51 version: 2026.01 (C"),
	BYTES("\x00"
	      "F21)\n"),
};

static const struct {
	struct bytes question, answer;
} recorded[] = {
	{ BYTES("\xD1\x01"), BYTES("\xD1\x01"
				   "2026.08 +2") },
	{ BYTES("\xD1\x02"), BYTES("\xD1\x02"
				   "Crazyflie 2.1") },
	{ BYTES("\x20\x03"), BYTES("\x20\x03\x31\x01\x42\x05\xA3\xF9") },
	{ BYTES("\x20\x02\x00\x00"), BYTES("\x20\x02\x00\x00\x28"
					   "colAv\0enable\0") },
	{ BYTES("\x20\x02\x2E\x01"), BYTES("\x20\x02\x2E\x01\x6A"
					   "firmware\0revision0\0") },
	{ BYTES("\x20\x02\x2F\x01"), BYTES("\x20\x02\x2F\x01\x69"
					   "firmware\0revision1\0") },
	{ BYTES("\x20\x02\x30\x01"), BYTES("\x20\x02\x30\x01\x68"
					   "firmware\0modified\0") },
	{ BYTES("\x21\x2E\x01"), BYTES("\x21\x2E\x01\x00\x29\xFC\x18\x2A") },
	{ BYTES("\x21\x2F\x01"), BYTES("\x21\x2F\x01\x00\x7B\x9D") },
	{ BYTES("\x21\x30\x01"), BYTES("\x21\x30\x01\x00\x01") },
};

struct drone {
	uint8_t question[32];
	size_t question_bytes;
	unsigned said; /* of the console, before the next answer */
	unsigned unheard;
};

/* An item of the table that was not recorded: present, but not one that is looked for. */
static size_t
other_item(const struct drone *d, uint8_t *out)
{
	int n;

	memcpy(out, d->question, 4);
	out[4] = 0x08;
	n = snprintf((char *)out + 5, 40, "group%cname%u", 0, get_le16(d->question + 2));
	return 5U + (size_t)n + 1;
}

static size_t
answer(struct drone *d, uint8_t *out)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded); i++)
		if (d->question_bytes == recorded[i].question.n &&
		    memcmp(d->question, recorded[i].question.p, d->question_bytes) == 0) {
			memcpy(out, recorded[i].answer.p, recorded[i].answer.n);
			return recorded[i].answer.n;
		}
	if (d->question_bytes == 4 && d->question[0] == 0x20 && d->question[1] == 0x02 &&
	    get_le16(d->question + 2) < ITEMS)
		return other_item(d, out);
	d->unheard++;
	return 0;
}

static enum usb_status
serve(struct drone *d, const struct usb_xfer *x, uint8_t *out, size_t *ret_length)
{
	*ret_length = 0;
	if (x->kind == USB_BULK_OUT) {
		assert_in_range(x->length, 1, sizeof(d->question));
		memcpy(d->question, x->data, x->length);
		d->question_bytes = x->length;
		return USB_OK;
	}
	if (x->kind != USB_BULK_IN)
		return USB_OK;
	if (d->said < ARRAY_LEN(console)) {
		memcpy(out, console[d->said].p, console[d->said].n);
		*ret_length = console[d->said++].n;
		return USB_OK;
	}
	d->said = d->question[0] == 0xD1 ? 0 : d->said; /* it goes on talking for a while */
	*ret_length = answer(d, out);
	return *ret_length > 0 ? USB_OK : USB_TIMEOUT;
}

TEST(the_real_firmwares_answers_are_understood)
{
	struct drone d = { .said = 0 };
	uint64_t now_us = 5;
	struct crtp c = { .linked = false };
	struct request w = { .kind = REQUEST_XFER };

	crtp_ask(&c, BIT(CRTP_VERSION) | BIT(CRTP_TYPE) | BIT(CRTP_BUILD), NULL, NULL);
	for (unsigned n = 0; n < 5000 && w.kind != REQUEST_OVER; n++) {
		uint8_t in[64] = { 0 };
		enum usb_status status;
		size_t length;

		crtp_next(&c, now_us, &w);
		if (w.kind == REQUEST_OVER)
			break;
		status = serve(&d, &w.xfer, in, &length);
		now_us += 500;
		crtp_ended(&c, status, in, length, now_us);
	}
	assert_int_equal(w.kind, REQUEST_OVER);
	assert_int_equal(d.unheard, 0);
	assert_true(c.answers.answered);
	assert_string_equal(c.answers.version, "2026.08 +2");
	assert_string_equal(c.answers.type, "Crazyflie 2.1");
	assert_true(c.answers.build_known);
	assert_string_equal(c.answers.revision, "2a18fc299d7b");
	assert_true(c.answers.modified);
}

TEST_MAIN(NULL)
