/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfu_probe.h"

#include <assert.h>
#include <stdlib.h>

#include "cfdfu/util.h"
#include "core/options.h"

enum { OTP_ALT = 2 };

#define OTP_ADDR 0x1FFF7800U

static const unsigned next_stages[DFU_PROBE_STAGE_COUNT] = {
#define S(x) BIT(DFU_PROBE_##x)
	[DFU_PROBE_LAYOUT] = S(CLEAN) | S(FAILED),
	[DFU_PROBE_CLEAN] = S(OTP) | S(DONE),
	[DFU_PROBE_OTP] = S(OPTIONS),
	[DFU_PROBE_OPTIONS] = S(LOADER),
	[DFU_PROBE_LOADER] = S(DONE),
#undef S
};

/* The only place where the stage changes, but for a new beginning. */
static void
enter(struct dfu_probe *p, enum dfu_probe_stage stage)
{
	assert((next_stages[p->stage] & BIT(stage)) != 0);
	p->stage = stage;
	p->at = 0;
}

void
dfu_probe_forget(struct dfu_probe *p)
{
	free(p->loader);
	p->loader = NULL;
}

void
dfu_probe_init(struct dfu_probe *p, const struct dfu_probe_options *options)
{
	dfu_probe_forget(p);
	memset(p, 0, sizeof(*p));
	p->options = *options;
}

static void
fail(struct dfu_probe *p, enum fault fault, const char *why)
{
	p->fault = fault;
	p->why = why;
	enter(p, DFU_PROBE_FAILED);
}

void
dfu_probe_again(struct dfu_probe *p)
{
	dfu_probe_forget(p);
	maps_init(&p->maps, &p->descr);
	p->fault = FAULT_NONE;
	p->why = NULL;
	p->stage = DFU_PROBE_LAYOUT;
	p->at = 0;
}

void
dfu_probe_opened(struct dfu_probe *p, const uint8_t *descriptors, size_t length)
{
	const char *why;

	if (descr_parse_dfu(descriptors, length, &p->descr, &why) < 0)
		fail(p, FAULT_DESCRIPTOR, why);
	else
		maps_init(&p->maps, &p->descr);
}

/* ---- the layout ----------------------------------------------------------------------------- */

/* For what is read of a Crazyflie: its OTP, then its boot loader. */
static bool
make_room(struct dfu_probe *p)
{
	if (p->profile->family)
		p->loader = malloc(DFU_LOADER_BYTES);
	return !p->profile->family || p->loader != NULL;
}

static void
layout_is_read(struct dfu_probe *p)
{
	const char *why = NULL;

	if (maps_fault(&p->maps) != FAULT_NONE) {
		fail(p, maps_fault(&p->maps), NULL);
		return;
	}
	/* INVARIANT: the profile's map is the authority, the device has to agree (doc/faults.md
	 * H3). */
	p->profile = maps_choose(&p->maps, p->options.profiles, p->options.profile_count,
				 p->options.sent_by_us, &why);
	if (p->profile != NULL && make_room(p))
		enter(p, DFU_PROBE_CLEAN);
	else if (p->profile != NULL)
		fail(p, FAULT_NO_MEMORY, NULL);
	else
		fail(p,
		     p->maps.unread_fault != FAULT_NONE ? p->maps.unread_fault : FAULT_WRONG_CHIP,
		     why);
}

void
dfu_probe_layout_next(struct dfu_probe *p, struct request *ret_request)
{
	maps_next(&p->maps, ret_request);
	if (ret_request->kind != REQUEST_OVER)
		return;
	ret_request->kind = REQUEST_NOTHING;
	layout_is_read(p);
}

void
dfu_probe_layout_ended(struct dfu_probe *p, enum usb_status status, const uint8_t *data,
		       size_t length)
{
	maps_ended(&p->maps, status, data, length);
}

/* ---- operations ----------------------------------------------------------------------------- */

static struct dfuse_operation
read_of(const struct dfu_probe *p, uint8_t alt, uint32_t addr, uint32_t total)
{
	uint32_t left = total - p->at;

	return (struct dfuse_operation){
		.op = DFUSE_OP_READ,
		.alt = alt,
		.addr = addr + p->at,
		.length = left < p->descr.transfer_bytes ? left : p->descr.transfer_bytes,
	};
}

bool
dfu_probe_next(const struct dfu_probe *p, struct dfuse_operation *ret_operation)
{
	switch (p->stage) {
	case DFU_PROBE_CLEAN:
		*ret_operation = (struct dfuse_operation){ .op = DFUSE_OP_CLEAN };
		return true;
	case DFU_PROBE_OTP:
		*ret_operation = read_of(p, OTP_ALT, OTP_ADDR, OTP_BYTES);
		return true;
	case DFU_PROBE_OPTIONS:
		*ret_operation = read_of(p, OPTIONS_ALT, OPTIONS_ADDR, OPTIONS_BYTES);
		return true;
	case DFU_PROBE_LOADER:
		*ret_operation = read_of(p, 0, p->profile->loader_addr, DFU_LOADER_BYTES);
		return true;
	case DFU_PROBE_LAYOUT:
	case DFU_PROBE_DONE:
	case DFU_PROBE_FAILED:
	case DFU_PROBE_STAGE_COUNT:
		break;
	}
	return false;
}

/* WHY: a small wTransferSize needs several reads; the loader's buffer is free until its own. */
static bool
is_whole(struct dfu_probe *p, const uint8_t *data, uint32_t length, uint32_t total)
{
	memcpy(p->loader + p->at, data, length);
	p->at += length;
	return p->at == total;
}

static void
loader_is_read(struct dfu_probe *p)
{
	p->loader_blank = true;
	for (size_t i = 0; i < DFU_LOADER_BYTES && p->loader_blank; i++)
		p->loader_blank = p->loader[i] == 0xFF;
	enter(p, DFU_PROBE_DONE);
}

static void
otp_is_read(struct dfu_probe *p)
{
	int r = platform_parse_otp(p->loader, OTP_BYTES, p->board);

	p->otp = r > 0 ? DFU_OTP_TYPE : r == 0 ? DFU_OTP_BLANK : DFU_OTP_NONE;
	enter(p, DFU_PROBE_OPTIONS);
}

void
dfu_probe_took(struct dfu_probe *p, const uint8_t *data, uint32_t length)
{
	switch (p->stage) {
	case DFU_PROBE_CLEAN:
		enter(p, p->profile->family ? DFU_PROBE_OTP : DFU_PROBE_DONE);
		return;
	case DFU_PROBE_OTP:
		if (is_whole(p, data, length, OTP_BYTES))
			otp_is_read(p);
		return;
	case DFU_PROBE_OPTIONS:
		p->write_protected = options_write_protected(data);
		enter(p, DFU_PROBE_LOADER);
		return;
	case DFU_PROBE_LOADER:
		if (is_whole(p, data, length, DFU_LOADER_BYTES))
			loader_is_read(p);
		return;
	case DFU_PROBE_LAYOUT:
	case DFU_PROBE_DONE:
	case DFU_PROBE_FAILED:
	case DFU_PROBE_STAGE_COUNT:
		return;
	}
}

bool
dfu_probe_is_refusal(enum fault fault)
{
	return fault == FAULT_REFUSED || fault == FAULT_STALL || fault == FAULT_PROTOCOL ||
	       fault == FAULT_PROTECTED;
}

bool
dfu_probe_forgives(struct dfu_probe *p, enum fault fault)
{
	if (!dfu_probe_is_refusal(fault) ||
	    (p->stage != DFU_PROBE_OTP && p->stage != DFU_PROBE_OPTIONS))
		return false;
	if (p->stage == DFU_PROBE_OTP)
		p->otp = DFU_OTP_NONE;
	enter(p, p->stage == DFU_PROBE_OTP ? DFU_PROBE_OPTIONS : DFU_PROBE_LOADER);
	return true;
}
