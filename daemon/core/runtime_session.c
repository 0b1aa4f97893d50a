/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/runtime_session.h"

#include "cfdfu/util.h"
#include "core/release.h"

enum {
	TIMEOUT_MS = 1000,
	DEVICE_DESCRIPTOR_BYTES = 18,
	REQUESTS = 3,
	PINGS = 3,
	RETURNS = 3,
	CONFIRMS = 4,
	CONFIRM_PAUSE_US = 1000000, /* the firmware's services start after its USB */
};

static void
begin(struct runtime_session *s, enum runtime_task task)
{
	s->task = task;
	s->pause_until_us = 0;
}

void
runtime_session_ask(struct runtime_session *s, bool build, struct crtp_toc *toc)
{
	begin(s, RUNTIME_ASK);
	s->toc = toc;
	crtp_ask(&s->crtp, build, toc);
}

void
runtime_session_reboot(struct runtime_session *s)
{
	begin(s, RUNTIME_REBOOT);
}

void
runtime_session_ping(struct runtime_session *s)
{
	begin(s, RUNTIME_PING);
}

void
runtime_session_confirm(struct runtime_session *s, const char *expected)
{
	begin(s, RUNTIME_CONFIRM);
	s->expected = expected;
	crtp_ask(&s->crtp, false, NULL);
}

void
runtime_session_light(struct runtime_session *s, enum crtp_light light)
{
	begin(s, RUNTIME_LIGHT);
	crtp_show(&s->crtp, light);
}

/* ---- what is requested ---------------------------------------------------------------------- */

static struct usb_xfer
reboot_request(void)
{
	return (struct usb_xfer){
		.kind = USB_CONTROL,
		/* SPEC: wIndex 2 = reboot into the ROM's DFU mode (doc/protocol.md 2.2). */
		.setup = { 0x40, 0x01, 0x0001, 2, 0 },
		.timeout_ms = TIMEOUT_MS,
	};
}

/* Any device answers this, whatever it is busy with. */
static struct usb_xfer
ping_request(void)
{
	return (struct usb_xfer){
		.kind = USB_CONTROL,
		.setup = { 0x80, 0x06, 0x0100, 0, DEVICE_DESCRIPTOR_BYTES },
		.length = DEVICE_DESCRIPTOR_BYTES,
		.timeout_ms = TIMEOUT_MS,
	};
}

void
runtime_session_next(struct runtime_session *s, uint64_t now_us, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (now_us < s->pause_until_us) {
		ret_request->kind = REQUEST_PAUSE;
		ret_request->until_us = s->pause_until_us;
	} else if (s->task == RUNTIME_REBOOT || s->task == RUNTIME_PING) {
		ret_request->kind = REQUEST_XFER;
		ret_request->xfer = s->task == RUNTIME_PING ? ping_request() : reboot_request();
	} else if (!crtp_over(&s->crtp)) {
		crtp_next(&s->crtp, now_us, ret_request);
	}
}

/* ---- how it ended --------------------------------------------------------------------------- */

static enum runtime_result
requested(struct runtime_session *s, enum usb_status status)
{
	s->transfers++;
	/* The return code says little (doc/protocol.md 2.2): the bus decides. */
	s->request_error = status != USB_OK;
	s->left_at_once = status == USB_GONE;
	return RUNTIME_REQUESTED;
}

/* After a request that did not make it leave the bus, as far as we were told. */
static enum runtime_result
pinged(struct runtime_session *s, enum usb_status status)
{
	bool answers = status == USB_OK || status == USB_STALL || status == USB_OVERFLOW;
	enum release_age age;

	s->transfers++;
	if (!answers && status != USB_GONE && ++s->pings < PINGS)
		return RUNTIME_UNDER_WAY; /* once more */
	s->pings = 0;
	if (!answers)
		return RUNTIME_LEFT;
	/* SPEC: firmware before 2022.03 answers with success and stays (doc/protocol.md 2.2).
	 * WHY asked again unless it says to be that old: success and no reboot, once, is also what
	 * a request looks like that got lost in newer firmware. */
	age = release_age(s->answers.version, 2022, 3);
	if ((s->request_error || age != RELEASE_OLDER) && ++s->requests < REQUESTS) {
		begin(s, RUNTIME_REBOOT);
		return RUNTIME_UNDER_WAY;
	}
	return RUNTIME_REFUSED;
}

/* WHY: an answer can be cut or garbled on its way; a wrong version is wrong every time. */
static bool
is_asked_again(struct runtime_session *s, uint64_t now_us)
{
	const struct crtp_answers *a = &s->crtp.answers;

	if (a->answered && (s->expected[0] == '\0' || strcmp(a->version, s->expected) == 0))
		return false;
	if (++s->confirms >= CONFIRMS)
		return false;
	crtp_ask(&s->crtp, false, NULL);
	s->pause_until_us = now_us + CONFIRM_PAUSE_US;
	return true;
}

static enum runtime_result
conversation_over(struct runtime_session *s, uint64_t now_us)
{
	if (s->task == RUNTIME_LIGHT)
		return RUNTIME_ANSWERED;
	s->transfers += s->crtp.transfers;
	if (s->task == RUNTIME_ASK) {
		s->answers = s->crtp.answers;
		if (s->crtp.toc.known)
			*s->toc = s->crtp.toc;
	}
	if (crtp_gone(&s->crtp))
		return RUNTIME_GONE;
	if (s->task == RUNTIME_CONFIRM && is_asked_again(s, now_us))
		return RUNTIME_UNDER_WAY;
	return RUNTIME_ANSWERED;
}

enum runtime_result
runtime_session_ended(struct runtime_session *s, enum usb_status status, const uint8_t *data,
		      size_t length, uint64_t now_us)
{
	if (s->task == RUNTIME_REBOOT)
		return requested(s, status);
	if (s->task == RUNTIME_PING)
		return pinged(s, status);
	crtp_ended(&s->crtp, status, data, length, now_us);
	return crtp_over(&s->crtp) ? conversation_over(s, now_us) : RUNTIME_UNDER_WAY;
}

/* ---- questions ------------------------------------------------------------------------------ */

const struct crtp_answers *
runtime_session_answers(const struct runtime_session *s)
{
	return s->task == RUNTIME_CONFIRM ? &s->crtp.answers : &s->answers;
}

bool
runtime_session_left_at_once(const struct runtime_session *s)
{
	return s->left_at_once;
}

bool
runtime_session_may_ask_again(struct runtime_session *s)
{
	return ++s->returns < RETURNS;
}

struct verdict
runtime_session_refusal(const struct runtime_session *s, const char **ret_why)
{
	struct verdict v = { .kind = VERDICT_FAIL, .fault = FAULT_NO_DFU, .step = STEP_REBOOTING };

	*ret_why = NULL;
	if (s->request_error) {
		if (!s->answers.answered)
			v.fault = FAULT_SILENT;
	} else if (release_age(s->answers.version, 2022, 3) == RELEASE_NOT_OLDER) {
		*ret_why = "it accepted the request three times; its version says that it can";
	} else {
		v.kind = VERDICT_NEEDS_BUTTON;
		v.fault = FAULT_TOO_OLD;
	}
	return v;
}

uint32_t
runtime_session_take_transfers(struct runtime_session *s)
{
	uint32_t transfers = s->transfers;

	s->transfers = 0;
	return transfers;
}
