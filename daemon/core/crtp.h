/* SPDX-License-Identifier: MIT */
/*
 * Asking a running Crazyflie for its version, over CRTP on USB (doc/protocol.md 2.2, 2.4).
 *
 *   LINK --> VERSION --> TYPE --> UNLINK --> OVER                            [following]
 *   TYPE --> TOC --> ITEM --> PARAM --> UNLINK     which build it is, too   [following, next_round]
 *   LINK --> LIGHT --> UNLINK                      shows the light           [following]
 *   any  --> UNLINK                                took too long             [crtp_ended]
 *
 * Each question is sent at most a few times; one that stays unanswered is left out, for old
 * firmware knows fewer answers.  Console text and other packets on the same pipe are skipped, a
 * bounded number of them.
 *
 * INVARIANT: at most one transfer is wanted; the number of transfers of a conversation is bounded.
 */
#ifndef CORE_CRTP_H
#define CORE_CRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/request.h"

#define CRTP_TEXT_MAX 32 /* SPEC: at most 29 characters fit a packet */

enum crtp_light { CRTP_LIGHT_NONE, CRTP_LIGHT_PASS, CRTP_LIGHT_FAIL };

enum crtp_stage {
	CRTP_STAGE_LINK,
	CRTP_STAGE_VERSION,
	CRTP_STAGE_TYPE,
	CRTP_STAGE_TOC,	  /* how many parameters, and the checksum of their table */
	CRTP_STAGE_ITEM,  /* their names, one by one, until ours are found */
	CRTP_STAGE_PARAM, /* our three values */
	CRTP_STAGE_LIGHT,
	CRTP_STAGE_UNLINK,
	CRTP_STAGE_OVER,
	CRTP_STAGE_COUNT
};

enum { CRTP_PARAM_REVISION0, CRTP_PARAM_REVISION1, CRTP_PARAM_MODIFIED, CRTP_PARAM_COUNT };

/* Where our parameters are in the table with this checksum; the same in all drones of a build. */
struct crtp_toc {
	bool known;
	uint32_t crc;
	uint16_t count;
	uint16_t id[CRTP_PARAM_COUNT];
	bool has[CRTP_PARAM_COUNT];
};

/* Its answers.  Texts are printable and terminated; "" means that the question stayed
 * unanswered. */
struct crtp_answers {
	bool answered; /* anything at all came back */
	char version[CRTP_TEXT_MAX];
	char type[CRTP_TEXT_MAX];
	bool build_known; /* the three below are valid */
	char revision[16];
	bool modified;
};

struct crtp {
	struct crtp_answers answers;
	struct crtp_toc toc; /* given or learned */
	uint32_t transfers;
	/* private */
	enum crtp_stage stage;
	bool want_version, want_build;
	enum crtp_light light;
	bool sent; /* the question is out, now reading */
	bool gone;
	uint64_t until_us; /* the conversation is cut short then; 0 not begun */
	uint8_t tries_left;
	uint16_t skips_left;
	uint16_t item;
	uint8_t param;
	uint32_t value[CRTP_PARAM_COUNT];
	uint8_t packet[32];
	uint32_t packet_length;
};

/* Version and type; with build also revision and the modified flag.  toc may be NULL. */
void crtp_ask(struct crtp *c, bool build, const struct crtp_toc *toc);

/* Shows the light and nothing else. */
void crtp_show(struct crtp *c, enum crtp_light light);

void crtp_next(struct crtp *c, uint64_t now_us, struct request *ret_request);
void crtp_ended(struct crtp *c, enum usb_status status, const uint8_t *data, size_t length,
		uint64_t now_us);

bool crtp_over(const struct crtp *c);
/* Over because the device is gone. */
bool crtp_gone(const struct crtp *c);

#endif
