/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <assert.h>

#include "core/crtp_internal.h"

static const uint8_t headers[QUESTION_COUNT] = {
	[QUESTION_LIGHT] = CRTP_HEADER_PLATFORM,
	[QUESTION_PROTOCOL] = CRTP_HEADER_VERSION,
	[QUESTION_VERSION] = CRTP_HEADER_VERSION,
	[QUESTION_TYPE] = CRTP_HEADER_VERSION,
	[QUESTION_PARAM] = CRTP_HEADER_PARAM,
	[QUESTION_SUPERVISOR] = CRTP_HEADER_SUPERVISOR,
	[QUESTION_BLOCK_CREATE] = CRTP_HEADER_LOG,
	[QUESTION_BLOCK_SAMPLE] = CRTP_HEADER_LOG,
	[QUESTION_BLOCK_DELETE] = CRTP_HEADER_LOG,
	[QUESTION_MEMORY_COUNT] = CRTP_HEADER_MEMORY,
	[QUESTION_MEMORY_INFO] = CRTP_HEADER_MEMORY,
	[QUESTION_MEMORY_READ] = CRTP_HEADER_MEMORY_READ,
	[QUESTION_MEMORY_WRITE] = CRTP_HEADER_MEMORY_WRITE,
};

enum crtp_turn
crtp_put(struct crtp *c, enum crtp_question_kind kind, const uint8_t *data, size_t length)
{
	struct crtp_question *q = &c->question;

	assert(length < sizeof(q->packet));
	memset(q, 0, sizeof(*q));
	q->kind = (uint8_t)kind;
	/* The tables of parameters and of log variables have the same questions. */
	q->packet[0] = headers[kind] != 0 ? headers[kind] : c->scan.toc.header;
	memcpy(q->packet + 1, data, length);
	q->length = (uint8_t)(length + 1);
	return TURN_ASKS;
}
