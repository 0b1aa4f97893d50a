/* SPDX-License-Identifier: MIT */
/*
 * The parts of the conversation with a running drone: crtp.c sends, repeats and listens;
 * crtp_topics.c has the table of answers and the short topics; crtp_toc.c looks for variables,
 * crtp_memory.c reads and writes memories; crtp_question.c composes.
 */
#ifndef CORE_CRTP_INTERNAL_H
#define CORE_CRTP_INTERNAL_H

#include "core/crtp.h"

/* SPEC: port << 4 | channel; the two bits between are echoed at will. */
enum {
	CRTP_HEADER_MASK = 0xF3,
	CRTP_HEADER_CONSOLE = 0x00,
	CRTP_HEADER_PARAM_TOC = 0x20,
	CRTP_HEADER_PARAM = 0x21,
	CRTP_HEADER_MEMORY = 0x40,
	CRTP_HEADER_MEMORY_READ = 0x41,
	CRTP_HEADER_MEMORY_WRITE = 0x42,
	CRTP_HEADER_LOG_TOC = 0x50,
	CRTP_HEADER_LOG = 0x51,
	CRTP_HEADER_LOG_DATA = 0x52,
	CRTP_HEADER_SUPERVISOR = 0x90,
	CRTP_HEADER_PLATFORM = 0xD0,
	CRTP_HEADER_VERSION = 0xD1,
};

enum crtp_question_kind {
	QUESTION_NONE,
	QUESTION_LIGHT,
	QUESTION_PROTOCOL,
	QUESTION_VERSION,
	QUESTION_TYPE,
	QUESTION_TOC,
	QUESTION_ITEM,
	QUESTION_PARAM,
	QUESTION_SUPERVISOR,
	QUESTION_BLOCK_CREATE,
	QUESTION_BLOCK_SAMPLE,
	QUESTION_BLOCK_DELETE,
	QUESTION_MEMORY_COUNT,
	QUESTION_MEMORY_INFO,
	QUESTION_MEMORY_READ,
	QUESTION_MEMORY_WRITE,
	QUESTION_COUNT
};

enum crtp_turn {
	TURN_DONE,     /* the topic has come to its end */
	TURN_GIVEN_UP, /* ... without what it was to find out */
	TURN_ASKS,     /* c->question is the next one */
	TURN_WAITS,    /* ret_until_us: not before */
};

/* Of the topic in hand. */
enum crtp_turn crtp_topic_next(struct crtp *c, uint64_t now_us, uint64_t *ret_until_us);
/* Is it the answer to the question in hand?  If so it is taken in. */
bool crtp_topic_take(struct crtp *c, const uint8_t *packet, size_t length);
/* No answer came to it.  True: the topic goes on without. */
bool crtp_topic_silent(struct crtp *c);

/* Composes the question in hand, its first data byte apart from the others. */
enum crtp_turn crtp_put(struct crtp *c, enum crtp_question_kind kind, const uint8_t *data,
			size_t length);

/* Looks for variables (a set), all of one table.  DONE: they are found, or absent. */
enum crtp_turn crtp_toc_next(struct crtp *c, unsigned variables);
bool crtp_toc_head(struct crtp *c, const uint8_t *p, size_t length);
bool crtp_toc_item(struct crtp *c, const uint8_t *p, size_t length);
uint8_t crtp_variable_bytes(enum crtp_variable v);

enum crtp_turn crtp_memories_next(struct crtp *c);
enum crtp_turn crtp_radio_block_next(struct crtp *c);
enum crtp_turn crtp_decks_next(struct crtp *c);
enum crtp_turn crtp_power_cycle_next(struct crtp *c);
enum crtp_turn crtp_work_next(struct crtp *c, uint64_t now_us, uint64_t *ret_until_us);
bool crtp_memory_count(struct crtp *c, const uint8_t *p, size_t length);
bool crtp_memory_info(struct crtp *c, const uint8_t *p, size_t length);
bool crtp_memory_read(struct crtp *c, const uint8_t *p, size_t length);
bool crtp_memory_written(struct crtp *c, const uint8_t *p, size_t length);

#endif
