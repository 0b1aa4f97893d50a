/* SPDX-License-Identifier: MIT */
/*
 * A conversation with a running Crazyflie, over CRTP on USB (doc/protocol.md 2.2, 2.4;
 * doc/beyond-dfu.md): takes the link, asks its questions one after another, gives the link back.
 *
 *   LINK --> ASKING --> UNLINK --> OVER                                       [enter]
 *   LINK, ASKING --> OVER               the device is gone                    [crtp_ended]
 *   ASKING --> UNLINK                   took too long                         [crtp_ended]
 *
 * A conversation is a set of topics; a topic is questions of one table (crtp_topics.c), chosen by
 * its turn [crtp_topic_next].  The retry rule is the same for all of them: a question is sent at
 * most a few times, each time but the first after the link was asked for once more; one that stays
 * unanswered ends its topic, for old firmware knows fewer answers.  A write is sent once.  Console
 * text is collected into the condition, other packets are skipped, a bounded number of them; an
 * answer has to name its question, for packets survive a change of the link.
 *
 * INVARIANT: at most one transfer is wanted; the number of transfers of a conversation is bounded,
 *            but for an engine's operations, of which each is.
 * INVARIANT: no request that the firmware asserts on: no memory that was not enumerated, no more
 *            than 24 bytes, no write into other memories than the EEPROM and the decks', but for 02
 *            at address 3 of type 0x20.
 */
#ifndef CORE_CRTP_H
#define CORE_CRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/condition.h"
#include "core/console.h"
#include "core/memory_op.h"
#include "core/request.h"

#define CRTP_TEXT_MAX 32 /* SPEC: at most 29 characters fit a packet */
#define CRTP_PACKET_MAX 31
#define CRTP_MEMORIES_MAX 32 /* LIMIT: of one drone; those behind are not looked at */

enum crtp_light { CRTP_LIGHT_NONE, CRTP_LIGHT_PASS, CRTP_LIGHT_FAIL };

/* In the order in which they are asked about. */
enum crtp_topic {
	CRTP_LIGHT,
	CRTP_VERSION,
	CRTP_TYPE,
	CRTP_BUILD,	  /* revision and modified flag, by way of the parameters' table */
	CRTP_SUPERVISOR,  /* firmware since 2026.04 answers; an older one is not asked */
	CRTP_SELFTEST,	  /* one reading: 0 means running or failed */
	CRTP_BATTERY,	  /* by way of the log's table */
	CRTP_MEMORIES,	  /* their types; what the three below begin with, asked for or not */
	CRTP_RADIO_BLOCK, /* the EEPROM's configuration block */
	CRTP_DECKS,	  /* deck memory, 1-wire memories, DeckCtrl's versions */
	CRTP_POWER_CYCLE, /* asks the nRF51 for it, where the drone has that memory */
	CRTP_WORK,	  /* an engine's operations */
	CRTP_TOPIC_COUNT
};

/* The whole drone: all that is only looked at. */
#define CRTP_CHECKUP                                                                               \
	(BIT(CRTP_VERSION) | BIT(CRTP_TYPE) | BIT(CRTP_SUPERVISOR) | BIT(CRTP_SELFTEST) |          \
	 BIT(CRTP_BATTERY) | BIT(CRTP_MEMORIES) | BIT(CRTP_RADIO_BLOCK) | BIT(CRTP_DECKS))

/* Parameters and log variables by name; their numbers differ from build to build. */
enum crtp_variable {
	CRTP_REVISION0,
	CRTP_REVISION1,
	CRTP_MODIFIED,
	CRTP_SELFTEST_PASSED,
	CRTP_VBAT_MV,
	CRTP_PM_STATE,
	CRTP_VARIABLE_COUNT
};

enum crtp_whereabouts { CRTP_UNSOUGHT, CRTP_HERE, CRTP_ABSENT };

/* The places of our variables in one table; the same in all drones of a build. */
struct crtp_toc {
	uint8_t header; /* of its packets: parameters or log; 0: this one is unused */
	uint32_t crc;
	uint16_t count;
	uint16_t id[CRTP_VARIABLE_COUNT]; /* where HERE */
	uint8_t is[CRTP_VARIABLE_COUNT];  /* enum crtp_whereabouts */
};

#define CRTP_TOCS_MAX 8 /* LIMIT: two a build */

/* Shared by all conversations, which learn and look up.  All zero: nothing is known. */
struct crtp_tocs {
	struct crtp_toc toc[CRTP_TOCS_MAX];
	unsigned next; /* to be overwritten */
};

/* Its answers that are no part of the condition.  Texts are printable and terminated; "" means that
 * the question stayed unanswered. */
struct crtp_answers {
	bool answered; /* anything at all came back */
	char version[CRTP_TEXT_MAX];
	char type[CRTP_TEXT_MAX];
	bool build_known; /* the two below are valid */
	char revision[16];
	bool modified;
	bool selftest_read;  /* the one below is valid */
	bool selftest_value; /* false: running or failed */
	bool power_requested;
};

struct crtp_question {
	uint8_t kind; /* of the table; 0 none */
	uint8_t packet[CRTP_PACKET_MAX];
	uint8_t length;
	uint8_t tries_left;
	bool relink, sent;    /* the link is asked for first; it is out, now reading */
	uint16_t skips_left;  /* packets that may come before the answer */
	uint32_t patience_ms; /* 0: as for any */
	uint64_t until_us;    /* with patience: no answer after this counts */
};

struct crtp_scan {
	struct crtp_toc toc;
	uint8_t variable; /* the one that is looked for */
	uint16_t hint;	  /* where its search began */
	uint16_t nth;	  /* how many places were looked at since */
};

struct crtp_memories {
	uint8_t count, known; /* with their types */
	uint8_t type[CRTP_MEMORIES_MAX];
	uint8_t at;		   /* memory that is read now */
	uint16_t have;		   /* bytes of it */
	uint8_t bytes[264];	   /* SPEC: the deck memory's section has 257 */
	enum memory_result result; /* of the last question */
	struct deck decks[DECKS_MAX];
	unsigned deck_count;
	bool unread, silent; /* a deck's memory was not understood; did not answer */
	struct memory_op op;
	bool op_out; /* the engine waits for how it went */
};

/* All zero before its first conversation. */
struct crtp {
	struct crtp_answers answers;
	uint32_t transfers; /* of this conversation */
	unsigned done;	    /* topics that came to their end; not: without an answer */
	/* private */
	struct console console; /* outlives the conversation */
	bool linked;		/* the link may be ours; outlives it, too */
	struct crtp_tocs *tocs;
	struct condition *condition;
	const struct memory_engine *engine;
	enum crtp_stage {
		CRTP_STAGE_LINK,
		CRTP_STAGE_ASKING,
		CRTP_STAGE_UNLINK,
		CRTP_STAGE_OVER
	} stage;
	unsigned topics; /* left, the one in hand among them */
	enum crtp_topic topic;
	uint8_t step; /* within the topic */
	enum crtp_light light;
	bool gone;
	bool hurried;	    /* a log variable is looked for near where it was elsewhere, only */
	uint8_t tries_left; /* of LINK, UNLINK */
	uint8_t silences;   /* topics without an answer */
	uint64_t until_us;  /* the conversation is cut short then; 0 not begun */
	struct crtp_question question;
	struct crtp_scan scan;
	struct crtp_memories memories;
	uint32_t value[CRTP_VARIABLE_COUNT];
};

/*
 * Asks about topics (a set).  tocs, condition: borrowed for the conversation, filled as it goes;
 * NULL: none.  Those that need a condition are left out without one.
 */
void crtp_ask(struct crtp *c, unsigned topics, struct crtp_tocs *tocs, struct condition *condition);

/* Shows the light and nothing else. */
void crtp_show(struct crtp *c, enum crtp_light light, struct condition *condition);

/*
 * Carries out what the engine (borrowed) names until that is over; an operation that the drone
 * could not bear is answered MEMORY_REFUSED without being sent.  A drone of which the memories
 * cannot be enumerated: the first operation is MEMORY_SILENT, and the conversation over.
 */
void crtp_work(struct crtp *c, const struct memory_engine *engine, struct condition *condition);

/* Gives the link back, also when an earlier conversation or daemon took it. */
void crtp_unlink(struct crtp *c);

/* The drone starts anew: a line cut off is not continued, the link is the radio's. */
void crtp_appeared(struct crtp *c);

void crtp_next(struct crtp *c, uint64_t now_us, struct request *ret_request);
void crtp_ended(struct crtp *c, enum usb_status status, const uint8_t *data, size_t length,
		uint64_t now_us);

bool crtp_over(const struct crtp *c);
/* Over because the device is gone. */
bool crtp_gone(const struct crtp *c);
/* The link was taken, and is not known to have been given back. */
bool crtp_linked(const struct crtp *c);
/* It begins with taking the link. */
bool crtp_takes_link(const struct crtp *c);

#endif
