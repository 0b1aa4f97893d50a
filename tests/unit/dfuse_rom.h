/* SPDX-License-Identifier: MIT */
/*
 * A DfuSe device of a few lines for tests of one conversation: the states of DFU 1.1 appendix A as
 * far as a host meets them, a twist that spoils chosen answers, and a judge of every request.
 */
#ifndef TESTS_DFUSE_ROM_H
#define TESTS_DFUSE_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"
#include "core/dfuse.h"

#define ROM_TRANSFER 256U
#define ROM_WINDOW 0x08004000U
#define ROM_WINDOW_BYTES 0x1C000U
#define ROM_FEATURE 0xFFFF0000U
#define ROM_FOREVER 1000000U

/* Spoils the answers number at, at + 1, ... (count of them). */
struct twist {
	unsigned at, count;
	enum usb_status status; /* how the transfer ends; USB_OK: the answer itself is changed */
	bool done;		/* the device did it all the same */
	bool only_status;	/* nothing but answers to GETSTATUS counts and is spoilt */
	int state, code;	/* of GETSTATUS; -1: as it is */
	int poll_ms;		/* -1: as it is */
	int length;		/* bytes that come; -1: as asked */
};

struct rom {
	struct twist twist;
	uint8_t state, code;
	unsigned busy_answers; /* how often it says dfuDNBUSY after the first time */
	unsigned busy_left;
	uint32_t poll_ms;
	uint32_t pointer;
	uint8_t refusal; /* bStatus that ends downloads, refusals times */
	unsigned refusals;
	bool
	    busy_stalls; /* stalls a question that comes while it is busy, and is no worse for it */
	/* what happened */
	unsigned requests, questions, spoilt;
	unsigned erases, programs, uploads, leaves, clears, aborts;
	uint32_t last_addr;
	const char *offence; /* the first request that must never be; NULL */
};

static inline void
rom_init(struct rom *r)
{
	*r = (struct rom){ .state = DFU_STATE_IDLE,
			   .twist = { .state = -1, .code = -1, .poll_ms = -1, .length = -1 },
			   .poll_ms = 100 };
}

static inline bool
rom_allows(uint32_t addr, uint32_t length)
{
	return addr >= ROM_WINDOW && addr - ROM_WINDOW < ROM_WINDOW_BYTES &&
	       length <= ROM_WINDOW_BYTES - (addr - ROM_WINDOW);
}

/* DNLOAD with data: a command, or a block. */
static inline void
rom_judge_download(struct rom *r, const struct usb_xfer *x)
{
	if (x->setup.value == DFUSE_BLOCK_COMMAND) {
		uint32_t addr = x->length == DFUSE_COMMAND_BYTES ? get_le32(x->data + 1) : 0;

		if (x->length != DFUSE_COMMAND_BYTES ||
		    (x->data[0] != DFUSE_SET_ADDRESS && x->data[0] != DFUSE_ERASE))
			r->offence = "a command that is neither Set Address nor Erase";
		else if (x->data[0] == DFUSE_ERASE && !rom_allows(addr, 1))
			r->offence = "an erase outside the window";
	} else if (x->setup.value < DFUSE_BLOCK_DATA) {
		r->offence = "a block with the reserved number";
	} else {
		r->last_addr = r->pointer + (x->setup.value - DFUSE_BLOCK_DATA) * ROM_TRANSFER;
		if (r->last_addr != ROM_FEATURE && !rom_allows(r->last_addr, x->length))
			r->offence = "a block outside the window";
	}
}

static inline enum usb_status
rom_stall(struct rom *r)
{
	r->state = DFU_STATE_ERROR;
	r->code = DFU_STATUS_ERR_STALLEDPKT;
	return USB_STALL;
}

static inline enum usb_status
rom_download(struct rom *r, const struct usb_xfer *x)
{
	if (r->state != DFU_STATE_IDLE && r->state != DFU_STATE_DNLOAD_IDLE)
		return rom_stall(r);
	if (x->length == 0) {
		r->state = DFU_STATE_MANIFEST_SYNC;
		return USB_OK;
	}
	r->state = DFU_STATE_DNLOAD_SYNC;
	if (x->setup.value != DFUSE_BLOCK_COMMAND) {
		r->programs++;
	} else if (x->data[0] == DFUSE_ERASE) {
		r->last_addr = get_le32(x->data + 1);
		r->erases++;
	} else {
		r->pointer = get_le32(x->data + 1);
	}
	return USB_OK;
}

static inline enum usb_status
rom_get_status(struct rom *r, uint8_t answer[DFU_STATUS_BYTES])
{
	if (r->state == DFU_STATE_DNLOAD_SYNC && r->refusals > 0) {
		r->refusals--;
		r->state = DFU_STATE_ERROR;
		r->code = r->refusal;
	} else if (r->state == DFU_STATE_DNLOAD_SYNC) {
		r->state = DFU_STATE_DNBUSY;
		r->busy_left = r->busy_answers;
	} else if (r->state == DFU_STATE_DNBUSY && r->busy_left > 0) {
		r->busy_left--;
		if (r->busy_stalls)
			return USB_STALL;
	} else if (r->state == DFU_STATE_DNBUSY) {
		r->state = DFU_STATE_DNLOAD_IDLE;
	} else if (r->state == DFU_STATE_MANIFEST_SYNC) {
		r->state = DFU_STATE_MANIFEST;
		r->leaves++;
	}
	put_le32(answer, r->poll_ms << 8);
	answer[0] = r->code;
	answer[4] = r->state;
	answer[5] = 0;
	return USB_OK;
}

static inline enum usb_status
rom_do(struct rom *r, const struct usb_xfer *x, uint8_t *answer, size_t *ret_length)
{
	*ret_length = x->length;
	if (x->setup.request_type == 0x01)
		return x->setup.request == 0x0B ? USB_OK : rom_stall(r);
	switch (x->setup.request) {
	case DFU_DNLOAD:
		return rom_download(r, x);
	case DFU_UPLOAD:
		if (r->state != DFU_STATE_IDLE && r->state != DFU_STATE_UPLOAD_IDLE)
			return rom_stall(r);
		r->last_addr = r->pointer + (x->setup.value - DFUSE_BLOCK_DATA) * ROM_TRANSFER;
		memset(answer, 0x5A, x->length);
		r->state = DFU_STATE_UPLOAD_IDLE;
		r->uploads++;
		return USB_OK;
	case DFU_GETSTATUS:
		return rom_get_status(r, answer);
	case DFU_CLRSTATUS:
		if (r->state != DFU_STATE_ERROR)
			return rom_stall(r);
		r->clears++;
		break;
	case DFU_ABORT:
		if (r->state == DFU_STATE_ERROR)
			return rom_stall(r);
		r->aborts++;
		break;
	default:
		r->offence = "a request that no host has to make";
		return rom_stall(r);
	}
	r->state = DFU_STATE_IDLE;
	r->code = DFU_STATUS_OK;
	return USB_OK;
}

/* One request: judged, carried out, answered, the answer spoilt where the twist says so. */
static inline enum usb_status
rom_request(struct rom *r, const struct usb_xfer *x, uint8_t *answer, size_t *ret_length)
{
	const struct twist *t = &r->twist;
	bool question =
	    x->setup.request_type == DFU_REQUEST_IN && x->setup.request == DFU_GETSTATUS;
	unsigned at = t->only_status ? r->questions : r->requests;
	enum usb_status status;

	if (x->setup.request_type == DFU_REQUEST_OUT && x->setup.request == DFU_DNLOAD &&
	    x->length > 0)
		rom_judge_download(r, x);
	r->requests++;
	r->questions += question;
	if (at < t->at || at - t->at >= t->count || (t->only_status && !question))
		return rom_do(r, x, answer, ret_length);
	r->spoilt++;
	*ret_length = 0;
	if (t->status != USB_OK && !t->done)
		return t->status == USB_STALL && !question ? rom_stall(r) : t->status;
	status = rom_do(r, x, answer, ret_length);
	if (t->status != USB_OK)
		return t->status;
	if (question && t->code >= 0)
		answer[0] = (uint8_t)t->code;
	if (question && t->state >= 0)
		answer[4] = (uint8_t)t->state;
	if (question && t->poll_ms >= 0)
		answer[1] = answer[2] = answer[3] = (uint8_t)t->poll_ms;
	if (t->length >= 0 && (x->setup.request_type & 0x80) != 0)
		*ret_length = (size_t)t->length;
	return status;
}

/* Talks until the operation is over; false when it does not end. */
static inline bool
rom_talk(struct rom *r, struct dfuse *d, uint64_t *now_us)
{
	uint8_t answer[USB_TRANSFER_BYTES_MAX] = { 0 };
	struct request w;

	for (unsigned n = 0; n < 20000; n++) {
		enum usb_status status;
		size_t length;

		dfuse_next(d, *now_us, &w);
		if (w.kind == REQUEST_OVER)
			return true;
		if (w.kind == REQUEST_PAUSE) {
			*now_us = w.until_us;
			continue;
		}
		status = rom_request(r, &w.xfer, answer, &length);
		*now_us += 400;
		dfuse_ended(d, status, answer, length, *now_us);
	}
	return false;
}

#endif
