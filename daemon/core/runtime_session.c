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
	POLL_US = 300000,	    /* between two rounds of a check-up, the link given back */
	CHECK_US = 10000000,	    /* SPEC: a self-test that passes has passed by then */
	SETTLE_US = 2000000,	    /* from there to the nRF51's word on itself and the battery */
	DECKS_US = 4000000,	    /* SPEC: ... to the decks' start (doc/beyond-dfu.md 4.2) */
	AI_US = 5000000,	    /* SPEC: ... longer with an AI deck */
};

/* SPEC: doc/beyond-dfu.md 5, 10.5. */
enum { SUPERVISOR_ARMED = 0x02, SUPERVISOR_AUTO_ARM = 0x04, SUPERVISOR_FLYING = 0x10 };

#define NAMES (BIT(CRTP_VERSION) | BIT(CRTP_TYPE))

static void
begin(struct runtime_session *s, enum runtime_task task)
{
	s->task = task;
	s->pause_until_us = 0;
}

void
runtime_session_init(struct runtime_session *s, struct crtp_tocs *tocs, struct condition *condition)
{
	s->tocs = tocs;
	s->condition = condition;
}

void
runtime_session_appeared(struct runtime_session *s, uint32_t patience_us, uint64_t now_us)
{
	s->link_after_us = now_us + patience_us;
	crtp_appeared(&s->crtp);
}

void
runtime_session_ask(struct runtime_session *s, bool build)
{
	unsigned topics = NAMES | BIT(CRTP_SUPERVISOR) | BIT(CRTP_BATTERY);

	begin(s, RUNTIME_ASK);
	crtp_ask(&s->crtp, topics | (build ? BIT(CRTP_BUILD) : 0), s->tocs, s->condition);
	s->crtp.hurried = true;
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
	crtp_ask(&s->crtp, NAMES, s->tocs, s->condition);
}

void
runtime_session_light(struct runtime_session *s, enum crtp_light light)
{
	begin(s, RUNTIME_LIGHT);
	crtp_show(&s->crtp, light, s->condition);
}

void
runtime_session_check(struct runtime_session *s)
{
	begin(s, RUNTIME_CHECK);
	s->topics = CRTP_CHECKUP;
	s->check_since_us = 0;
	s->settled_us = 0;
	crtp_ask(&s->crtp, s->topics, s->tocs, s->condition);
}

void
runtime_session_memory(struct runtime_session *s, const struct memory_engine *engine)
{
	begin(s, RUNTIME_MEMORY);
	crtp_work(&s->crtp, engine, s->condition);
}

void
runtime_session_power_cycle(struct runtime_session *s)
{
	begin(s, RUNTIME_POWER_CYCLE);
	crtp_ask(&s->crtp, BIT(CRTP_POWER_CYCLE), NULL, s->condition);
}

void
runtime_session_unlink(struct runtime_session *s)
{
	begin(s, RUNTIME_UNLINK);
	crtp_unlink(&s->crtp);
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
	uint64_t until_us = s->pause_until_us;

	memset(ret_request, 0, sizeof(*ret_request));
	if (crtp_takes_link(&s->crtp) && until_us < s->link_after_us)
		until_us = s->link_after_us;
	if (s->task == RUNTIME_CHECK && s->check_since_us == 0)
		s->check_since_us = now_us;
	if (now_us < until_us) {
		ret_request->kind = REQUEST_PAUSE;
		ret_request->until_us = until_us;
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
	crtp_ask(&s->crtp, NAMES, s->tocs, s->condition);
	s->pause_until_us = now_us + CONFIRM_PAUSE_US;
	return true;
}

/* ---- check-up ------------------------------------------------------------------------------- */

/* Decks that have not started yet, and how long they may take for it. */
static uint64_t
decks_patience_us(const struct condition *c)
{
	uint64_t patience_us = 0;

	for (unsigned i = 0; i < c->deck_count; i++)
		if (c->decks[i].state == DECK_NOT_STARTED)
			patience_us = DECKS_US;
	for (unsigned i = 0; patience_us > 0 && i < c->deck_count; i++)
		if (strncmp(c->decks[i].name, "bcAI", 4) == 0)
			return DECKS_US + AI_US;
	return patience_us;
}

/* Of the topics that were asked about: those that may have another answer in a moment. */
static unsigned
topics_left(struct runtime_session *s, uint64_t now_us)
{
	unsigned after_start = BIT(CRTP_BATTERY) | BIT(CRTP_DECKS);
	unsigned left = s->topics & ~(s->crtp.done | BIT(CRTP_VERSION) | BIT(CRTP_TYPE));
	struct condition *c = s->condition;
	/* WHY not without that parameter: only the console could tell, and need not. */
	bool waits = c->selftest == SELFTEST_UNKNOWN &&
		     (s->answers.selftest_read || (left & BIT(CRTP_SELFTEST)) != 0);
	uint64_t since_us;

	if (!s->answers.answered)
		left |= s->topics & BIT(CRTP_VERSION);
	if (now_us - s->check_since_us >= CHECK_US) {
		if (waits && s->answers.selftest_read)
			c->selftest = SELFTEST_FAIL;
		left = 0;
	} else if (waits) {
		return left | BIT(CRTP_SELFTEST); /* it runs, and the rest waits for it */
	}
	if (s->settled_us == 0)
		s->settled_us = now_us;
	since_us = now_us - s->settled_us;
	/* SPEC: decks that wait for the start, and what the nRF51 says, come after a passed
	 * self-test; never after a failed one. */
	if (c->selftest == SELFTEST_FAIL)
		return left & ~after_start;
	if (since_us < decks_patience_us(c))
		left |= BIT(CRTP_DECKS);
	if (since_us < SETTLE_US && c->battery_mv == 0)
		left |= BIT(CRTP_BATTERY);
	if (since_us < SETTLE_US && c->nrf_version[0] == '\0')
		left |= BIT(CRTP_SELFTEST); /* any question brings the console's text */
	return left;
}

static bool
is_checked_again(struct runtime_session *s, uint64_t now_us)
{
	struct crtp_answers *a = &s->crtp.answers;

	if (s->condition == NULL)
		return false;
	if (a->version[0] == '\0' && s->answers.version[0] != '\0')
		copy_text(a->version, sizeof(a->version), s->answers.version);
	if (a->type[0] == '\0')
		copy_text(a->type, sizeof(a->type), s->answers.type);
	a->answered = a->answered || s->answers.answered;
	s->answers = *a;
	s->topics = topics_left(s, now_us);
	if (s->topics == 0) {
		s->condition->looked = true;
		return false;
	}
	crtp_ask(&s->crtp, s->topics, s->tocs, s->condition);
	s->pause_until_us = now_us + POLL_US;
	return true;
}

static enum runtime_result
conversation_over(struct runtime_session *s, uint64_t now_us)
{
	bool requested = s->task == RUNTIME_POWER_CYCLE && s->crtp.answers.power_requested;

	if (s->task == RUNTIME_LIGHT)
		return RUNTIME_ANSWERED;
	s->transfers += s->crtp.transfers;
	if (s->task == RUNTIME_ASK)
		s->answers = s->crtp.answers;
	s->left_at_once = requested && crtp_gone(&s->crtp);
	if (requested)
		return RUNTIME_REQUESTED;
	if (crtp_gone(&s->crtp))
		return RUNTIME_GONE;
	if (s->task == RUNTIME_CONFIRM && is_asked_again(s, now_us))
		return RUNTIME_UNDER_WAY;
	if (s->task == RUNTIME_CHECK && is_checked_again(s, now_us))
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
runtime_session_linked(const struct runtime_session *s)
{
	return crtp_linked(&s->crtp);
}

bool
runtime_session_crashed(const struct runtime_session *s)
{
	bool talks = s->task != RUNTIME_IDLE && s->task != RUNTIME_REBOOT &&
		     s->task != RUNTIME_PING && s->task != RUNTIME_UNLINK;

	/* The first request may still be out when the bus says that it is gone. */
	return talks && (s->crtp.transfers > 0 || crtp_linked(&s->crtp)) &&
	       !s->crtp.answers.answered;
}

bool
supervisor_allows_reboot(const struct condition *c)
{
	bool armed = (c->supervisor & SUPERVISOR_ARMED) != 0;
	bool at_rest = (c->supervisor & SUPERVISOR_AUTO_ARM) != 0;

	return !c->supervisor_known ||
	       ((c->supervisor & SUPERVISOR_FLYING) == 0 && (!armed || at_rest));
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
