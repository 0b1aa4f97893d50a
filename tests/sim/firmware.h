/* SPDX-License-Identifier: MIT */
/*
 * The running firmware of a simulated Crazyflie: what it is since its last start, and the memories
 * that it offers on CRTP port 4 (doc/beyond-dfu.md 1, 2).  Private to the files of the simulated
 * drone; model.h includes it.
 *
 * A start is a start of the program: after power-up, a reset, a leave.  A glitch of the bus is
 * none.
 */
#ifndef SIM_FIRMWARE_H
#define SIM_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/drone.h"

#define MEMS_MAX 32	     /* LIMIT: memories of one drone; eight decks with two each fit */
#define MEM_EIO 5	     /* the only error that the memory port knows */
#define MEM_ANSWER_BYTES 24  /* SPEC: doc/beyond-dfu.md 1: a read of more is an ASSERT */
#define EEPROM_BYTES 0x2000U /* of the chip; the last one is not reachable */
#define EEPROM_STORE 1024    /* ... stored parameters, by name */
#define LOG_BLOCKS 16	     /* SPEC: doc/beyond-dfu.md 5 */
#define LOG_OPS 128
#define TOC_EXTENDED 0x10 /* in a parameter's type: it can be stored */
#define TOC_READ_ONLY 0x40
#define TOC_KEY_BYTES 40

/* SPEC: doc/beyond-dfu.md 2 */
enum mem_type {
	MEM_EEPROM = 0x00,
	MEM_ONE_WIRE = 0x01,
	MEM_TRAJECTORY = 0x12,
	MEM_LIGHTHOUSE = 0x14,
	MEM_TESTER = 0x15,
	MEM_DECK = 0x19,
	MEM_DECKCTRL_DFU = 0x20,
	MEM_DECKCTRL_INFO = 0x21
};

/* One read or write.  Its answer comes takes_us later than any answer would, and the memory port
 * works on nothing else until then. */
struct mem_call {
	uint64_t now_us;
	uint32_t addr;
	size_t length; /* reads: up to 255; writes: up to 25 */
	uint8_t *data; /* to be filled, or written */
	uint64_t takes_us;
};

/* A memory as the firmware registers it.  read and write return 0 or MEM_EIO; one that has called
 * firmware_assert() is not answered, whatever it returns. */
struct mem {
	uint8_t type;
	uint32_t size;
	uint8_t serial[12];
	unsigned serial_bytes; /* of it, that are told: 8 at least */
	unsigned owner;	       /* for its functions: which deck */
	uint8_t (*read)(struct drone *d, const struct mem *m, struct mem_call *c);
	uint8_t (*write)(struct drone *d, const struct mem *m, struct mem_call *c);
};

struct radio_setup {
	uint8_t channel, rate;
	uint64_t address;
};

struct console {
	uint8_t piece[30]; /* not sent yet */
	size_t length;
	bool radio_has_one; /* SPEC: doc/beyond-dfu.md 10.8: the first packet of a start is lost */
};

/* Moments of a start at which decks say something. */
enum deck_moment {
	DECK_FOUND,  /* "n deck(s) found" */
	DECK_TESTED, /* "Deck i test [OK]." */
	DECK_STARTED /* after a passed self-test */
};

enum toc_which { TOC_PARAMS, TOC_LOGS };

enum toc_source {
	TOC_FIXED = 0,
	TOC_TUNED, /* ... and its default is 0 */
	TOC_REVISION0,
	TOC_REVISION1,
	TOC_MODIFIED,
	TOC_FLASH_KIB,
	TOC_ID0,
	TOC_ID1,
	TOC_ID2,
	TOC_SELFTEST,
	TOC_ASSERT_INFO,
	TOC_DO_ASSERT,
	TOC_DECK,
	TOC_VBAT,
	TOC_VBAT_MV,
	TOC_PM_STATE,
	TOC_PM_LEVEL,
	TOC_PM_CURRENT
};

struct toc_item {
	const char *group, *name; /* name NULL: it is in room */
	uint8_t type;
	enum toc_source source;
	uint32_t value;
	char room[12];
};

struct log_block {
	bool made;
	uint8_t id;
	unsigned vars, bytes;
	uint16_t var[26];
	uint8_t type[26];
	uint32_t period_us; /* 0 = stopped */
};

struct battery {
	uint16_t mv;
	int8_t state; /* 0 battery, 1 charging, 2 charged, 3 low */
	uint8_t level;
	float current;
};

/* All of it begins anew with each start. */
struct firmware {
	uint64_t start_us; /* when it came up on the bus */
	int release;	   /* 202608 for "2026.08 +2"; a text without one counts as the newest */
	bool asserted;	   /* resetting itself: nothing is answered any more */
	bool resumed;	   /* started after an ASSERT: fails its self-test */
	enum drone_eeprom block_was; /* the radio configuration, as this start found it */
	bool store_was_bad;
	struct console console;
	uint64_t doom_us;	    /* ASSERT by radio packets then; 0 = not under way */
	bool decks_fail;	    /* the test of one of its decks; so its self-test fails */
	char crash[DRONE_TEXT_MAX]; /* ... and what it reports of that */
	struct radio_setup radio;   /* in force; the EEPROM may say something else by now */
	struct mem mem[MEMS_MAX];
	unsigned mems;
	uint64_t decks_us; /* so much longer is the memory port deaf for the decks that there are */
	uint64_t mem_free_us; /* the memory port is busy until then */
	unsigned writes;
	struct {
		uint16_t id;
		uint32_t value;
	} written[32]; /* parameters */
	struct log_block log[LOG_BLOCKS];
	unsigned log_ops;
};

/* firmware.c */
void firmware_start(struct drone *d, uint64_t now);
/* SPEC: doc/beyond-dfu.md 11.1: resets; the next start fails its self-test, the one after it does
 * not.  where: "mem.c:123", reported by the next start. */
void firmware_assert(struct drone *d, uint64_t now, enum drone_assert cause, const char *where);
/* The self-test is over and passed. */
bool firmware_selftest_passed(const struct drone *d, uint64_t now);
/* "2026.08 +2" is 202608; 0 when there is no number in front. */
int firmware_release(const char *version);

/* The link goes to USB, or back. */
void firmware_linked(struct drone *d, uint64_t now, bool linked);

void firmware_battery(const struct drone *d, uint64_t now, struct battery *ret);

/* crtp_toc.c; a packet is at least 32 bytes, zeros behind its end. */
void toc_answer(struct drone *d, uint64_t now, const uint8_t *packet, enum toc_which which);
size_t toc_count(const struct drone *d, enum toc_which which);
/* False: there is none. */
bool toc_item(const struct drone *d, enum toc_which which, size_t id, struct toc_item *ret);
const char *toc_name(const struct toc_item *i);
size_t toc_param_bytes(const struct toc_item *i);
uint32_t toc_value(struct drone *d, uint64_t now, const struct toc_item *i);

/* crtp_param.c, crtp_log.c, crtp.c */
void crtp_param_start(struct drone *d);
void crtp_param(struct drone *d, uint64_t now, const uint8_t *packet, size_t length);
void crtp_log(struct drone *d, uint64_t now, const uint8_t *packet, size_t length);
/* The next sample of a started log block, due one period after the last. */
void crtp_log_sample(struct drone *d, uint8_t id, uint64_t last_us);

/* console.c */
/* Text that is ready at this time; "\n" ends a line. */
void console_say(struct drone *d, uint64_t at_us, const char *format, ...) PRINTF_LIKE(3, 4);
void console_start(struct drone *d, uint64_t at_us);
/* The report of the last run's ASSERT, or that there is none. */
void console_crash(struct drone *d, uint64_t at_us);

/* crtp_memory.c */
void mem_register(struct drone *d, const struct mem *m);
void mem_register_all(struct drone *d);
void crtp_memory(struct drone *d, uint64_t now, const uint8_t *packet, size_t length);

/* eeprom.c */
void eeprom_prepare(struct drone *d); /* as delivered, by the configuration */
void eeprom_start(struct drone *d);   /* what a start does to it and takes from it */
/* Stored parameters.  False: not stored; no room. */
bool eeprom_stored(const struct drone *d, const char *key, uint8_t value[4]);
bool eeprom_store(struct drone *d, const char *key, const uint8_t *value, size_t length);
bool eeprom_forget(struct drone *d, const char *key);
uint8_t eeprom_read(struct drone *d, const struct mem *m, struct mem_call *c);
uint8_t eeprom_write(struct drone *d, const struct mem *m, struct mem_call *c);

/* deck.c, deck_memories.c, power.c */
void deck_say(struct drone *d, enum deck_moment moment, uint64_t at_us);
/* "bcLighthouse4": the parameter deck.NAME. */
bool deck_is_mounted(const struct drone *d, const char *name);
void deck_register_one_wire(struct drone *d); /* behind the tester; DeckCtrls' ones, too */
void deck_register_own(struct drone *d);      /* behind everything else */
uint8_t deck_memory_read(struct drone *d, const struct mem *m, struct mem_call *c);
uint8_t deck_memory_write(struct drone *d, const struct mem *m, struct mem_call *c);
uint8_t deckctrl_dfu_read(struct drone *d, const struct mem *m, struct mem_call *c);
uint8_t deckctrl_dfu_write(struct drone *d, const struct mem *m, struct mem_call *c);

#endif
