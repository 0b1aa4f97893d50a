/* SPDX-License-Identifier: MIT */
/*
 * One simulated USB device: by default a Crazyflie with both its USB personalities, the run-time
 * firmware (doc/protocol.md 2) and the STM32F405 ROM boot loader (doc/protocol.md 1, 3, 5, 6).
 *
 * Sans-IO: nothing here calls out; time is passed in as now_us and never goes back.  The drone's
 * owner submits transfers, asks drone_next_us() for the time of the next event, and calls
 * drone_step() then, which reports one event at a time.
 *
 *              plug, power                             wIndex 2
 *    OFF ----------------------> boot decision --> RUNTIME ------> (gap) --> ROM
 *     ^  button entry -> (gap) -> ROM     |                                   |
 *     +-----------------------------------+ nothing to run      leave --------+--> boot decision
 *
 * INVARIANT: one transfer in flight per channel (control, bulk OUT 0x01, bulk IN 0x81).
 * INVARIANT: each accepted transfer ends in exactly one DRONE_ENDED, unless it is cancelled.
 */
#ifndef SIM_DRONE_H
#define SIM_DRONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/util.h"

struct drone;
struct fate;
struct sighting;

#define DRONE_NEVER UINT64_MAX
#define DRONE_FATES_MAX 16    /* LIMIT: armed at a time */
#define DRONE_SECTORS_MAX 512 /* LIMIT: twice the largest chip described */
#define DRONE_TEXT_MAX 64     /* LIMIT: configurable texts */
#define DRONE_LAYOUTS_MAX 4   /* alternates */

enum drone_personality { DRONE_OFF = 0, DRONE_RUNTIME, DRONE_ROM };

/* The kind of device. */
enum drone_model {
	DRONE_CRAZYFLIE = 0,
	DRONE_OTHER_VCP,   /* another maker's 0483:5740; has no DFU mode */
	DRONE_OTHER_DFU,   /* 0483:df11, F411: other memory map, blank OTP, never leaves DFU */
	DRONE_F10X_MEDIUM, /* STM32F10x, 128 pages of 1 KiB; ST's own DFU loader in the first 12 */
	DRONE_F10X_HIGH,   /* STM32F10x, 256 pages of 2 KiB; loader in the first 6 */
	DRONE_EVAL,	   /* ST evaluation board: internal flash, SPI flash, NOR */
	DRONE_MODEL_COUNT
};

/* How the boot loader behaves while it is busy (doc/protocol.md 11.4). */
enum drone_kind {
	DRONE_KIND_NAK = 0,	/* the answer to GETSTATUS waits for the end of the operation */
	DRONE_KIND_DNBUSY,	/* says dfuDNBUSY again and again, with poll_busy_ms */
	DRONE_KIND_STALL_EARLY, /* stalls GETSTATUS while busy; its poll values are honest */
	DRONE_KIND_COUNT
};

/* How the ROM makes its serial from the UID (doc/protocol.md 1.3). */
enum drone_serial {
	DRONE_SERIAL_PLAIN = 0, /* 32-bit addition */
	DRONE_SERIAL_NO_CARRY,	/* byte sums without carry */
	DRONE_SERIAL_PLUS_A,	/* 0x0A added to the low half-word */
	DRONE_SERIAL_PLUS_A_NO_CARRY,
	DRONE_SERIAL_MISSING,
	DRONE_SERIAL_CONSTANT, /* FFFFFFFEFFFF */
	DRONE_SERIAL_CUSTOM,   /* config.serial_text */
	DRONE_SERIAL_COUNT
};

/* A defect of the DFU mode's configuration descriptor. */
enum drone_descriptors {
	DRONE_DESCRIPTORS_PLAIN = 0,
	DRONE_DESCRIPTORS_CUT,	     /* shorter than its wTotalLength */
	DRONE_DESCRIPTORS_COMPOSITE, /* a keyboard beside the DFU interface */
	DRONE_DESCRIPTORS_CROWDED,   /* 200 alternates */
	DRONE_DESCRIPTORS_CHANGING,  /* the second reading has another wTransferSize */
	DRONE_DESCRIPTORS_COUNT
};

#define DRONE_TRANSFER_SIZE_ZERO 0x10000U

/* The host's result of the reboot request, which has no status stage (doc/protocol.md 2.2). */
enum drone_reboot {
	DRONE_REBOOT_EPROTO = 0,
	DRONE_REBOOT_EPIPE,
	DRONE_REBOOT_NODEV,
	DRONE_REBOOT_TIMEOUT,
	DRONE_REBOOT_SUCCESS,
	DRONE_REBOOT_COUNT
};

/* The radio configuration's state in the EEPROM, as delivered (doc/beyond-dfu.md 3). */
enum drone_eeprom {
	DRONE_EEPROM_GOOD = 0,
	DRONE_EEPROM_BAD_SUM,
	DRONE_EEPROM_BAD_MAGIC,
	DRONE_EEPROM_BLANK, /* all of it 0xFF, the parameter store too */
	DRONE_EEPROM_COUNT
};

/* How many parameters and log variables there are. */
enum drone_tables {
	DRONE_TABLES_SMALL = 0,
	DRONE_TABLES_REAL, /* 305 and 482, as 2026.08 has */
	DRONE_TABLES_COUNT
};

/* The decks it may carry, and their state as delivered (doc/beyond-dfu.md 4). */
enum drone_deck {
	DRONE_DECK_NONE = 0,
	DRONE_DECK_LIGHTHOUSE,	     /* with the bitstream that its first firmware requires */
	DRONE_DECK_LIGHTHOUSE_WRONG, /* with one that no firmware requires */
	DRONE_DECK_LED_BOTTOM,
	DRONE_DECK_LED_TOP,
	DRONE_DECK_LED_OLD, /* at the bottom, of an older version */
	DRONE_DECK_AI,
	DRONE_DECK_FLOW,
	DRONE_DECK_MULTIRANGER,
	DRONE_DECK_COUNT
};
#define DRONE_DECKS_MAX 4 /* SPEC: the firmware finds no more */

/* How a deck is, whatever the firmware says of it. */
enum drone_deck_state {
	DRONE_DECK_ABSENT = 0,
	DRONE_DECK_RUNS,
	DRONE_DECK_IN_LOADER, /* Lighthouse, colour LED: its boot loader is what runs */
	DRONE_DECK_DEAD	      /* until it loses power, or its program is written anew */
};

/* The causes of an ASSERT of the running firmware. */
enum drone_assert {
	DRONE_ASSERT_EARLY = 0, /* the link was taken before the firmware could bear it */
	DRONE_ASSERT_RADIO,	/* six radio packets while the link was on USB */
	DRONE_ASSERT_REQUEST,	/* a request that no host may send */
	DRONE_ASSERT_COUNT
};

/* The timing model: data-sheet typical values times flash_permille / 1000 (doc/protocol.md 6). */
struct drone_timing {
	uint32_t control_us;		 /* each control or bulk transfer: 350 */
	uint32_t byte_ns;		 /* each byte of a data stage: 1200 */
	uint32_t flash_permille;	 /* 1000 = typical, 2000 = the data sheet's erase maximum */
	uint32_t crtp_us;		 /* from a CRTP packet to its answer */
	uint32_t gap_min_ms, gap_max_ms; /* reboot request -> DFU on the bus; drawn */
	uint32_t boot_min_ms, boot_max_ms;   /* leave, plug or reset -> run-time on the bus */
	uint32_t leave_min_ms, leave_max_ms; /* dfuMANIFEST answered -> off the bus: 1..50 */
};

struct drone_config {
	enum drone_model model;
	enum drone_kind kind;
	struct drone_timing timing;
	uint64_t seed;	 /* gaps, chatter, garbage */
	uint8_t uid[12]; /* as in memory at 0x1FFF7A10 */

	/* ROM */
	char otp[DRONE_TEXT_MAX]; /* "0;CF21"; "" = blank (counts as CF20 to the firmware) */
	enum drone_serial serial;
	char serial_text[DRONE_TEXT_MAX];
	bool read_protected;	  /* RDP level 1 */
	uint16_t write_protected; /* one bit per sector: silently not written, not erased */
	bool options_readable;	  /* option bytes can be read by UPLOAD */
	bool feature_readable;	  /* Device Feature can be read back */
	bool feature_effective;	  /* ... and changes the parallelism */
	bool abort_busy_stalls;	  /* ABORT in dfuDNBUSY: stall, not dfuIDLE when over */
	uint32_t poll_erase_ms, poll_write_ms; /* 100, 104 */
	uint32_t poll_busy_ms;		       /* what DRONE_KIND_DNBUSY says again */
	enum drone_descriptors descriptors;
	uint32_t transfer_size; /* 0 = the chip's own; DRONE_TRANSFER_SIZE_ZERO = says 0 */
	char layout[DRONE_LAYOUTS_MAX][128]; /* "" = the chip's own memory string */

	/* boot */
	bool button_boots;   /* a leave after button entry does start the application */
	bool boots_anything; /* do not look for a platform table: plausible vectors are enough */

	/* run-time */
	bool one_interface;	   /* descriptors of 2022.05 and before: no CDC */
	uint32_t ignored_requests; /* so many reboot requests are answered with success and lost */
	bool no_dfu_request; /* before 2022.03: answers wIndex 2 with success and does not reboot */
	bool no_type;	     /* does not answer D1 02 */
	bool silent;	     /* CRTP never answers */
	unsigned chatter;    /* console packets before each answer, at most (drawn) */
	enum drone_reboot reboot;
	char product[DRONE_TEXT_MAX], manufacturer[DRONE_TEXT_MAX]; /* "" = as the model has it */
	char version[DRONE_TEXT_MAX];				    /* "" = what the flash says */
	char revision[DRONE_TEXT_MAX]; /* 12 hex digits; "" = what the flash says */
	char type[DRONE_TEXT_MAX];     /* "" = by OTP */
	int modified;		       /* -1 = what the flash says */

	/* its services (doc/beyond-dfu.md) */
	char crash[DRONE_TEXT_MAX];    /* place of an ASSERT of its last flight, "hardfault", "" */
	char selftest[DRONE_TEXT_MAX]; /* the module whose self-test fails; "" = passes */
	uint32_t selftest_ms;	       /* from its appearing to a passed self-test */
	uint32_t decks_ms;	       /* ... to the memory port's first answer */
	uint32_t early_ms;	       /* ... until the link can be taken without an ASSERT */
	enum drone_tables tables;
	uint16_t supervisor; /* bits; 0x020E: on the table.  0 until the self-test has passed */
	uint32_t battery_mv, battery_state; /* 4050, 1; known a second behind the self-test */
	enum drone_eeprom eeprom;
	uint8_t channel, rate;	/* 80; 0 250K, 1 1M, 2 2M */
	uint64_t address;	/* 0xE7E7E7E7E7 */
	bool console;		/* says its boot text */
	uint32_t console_lines; /* ... with so many lines more */
	uint32_t radio_packets; /* of a host on the air, a second; on USB the sixth is an ASSERT */
	uint32_t nrf_ms;	/* when the nRF51 says its version, from its appearing */
	char nrf[DRONE_TEXT_MAX];      /* release of the nRF51's firmware, "2025.12" */
	uint8_t deck[DRONE_DECKS_MAX]; /* enum drone_deck */
	uint32_t bitstream_bytes;      /* shorter bitstreams, for short tests; 0: the real length */
	bool led_version_stays; /* a colour LED's version does not show that it was written */
	uint32_t dark_permille; /* mode switches that end in the radio's boot loader; real: 5 */

	/* accounting */
	bool count_standard;	   /* standard requests count for fates with on=any */
	uint32_t application_addr; /* where "outside the application" ends: 0x08004000 */
};

/* Crazyflie 2.1 of typical timing, UID and gaps from the seed. */
void drone_config_init(struct drone_config *c, uint64_t seed);

/* Fast timing for tests of logic rather than of time: everything some 50 times faster. */
void drone_timing_fast(struct drone_timing *t);

/* Sets one "key=value" of the command language.  0, or -EINVAL with a sentence in error. */
int drone_config_set(struct drone_config *c, const char *key, const char *value, char *error,
		     size_t error_size) MUST_CHECK;

/* The same for a drone that exists, for what its firmware looks at while it runs or when it starts;
 * anything else is refused. */
int drone_set(struct drone *d, const char *key, const char *value, char *error,
	      size_t error_size) MUST_CHECK;

/* The keys that drone_config_set() knows, one per index, NULL behind the last. */
const char *drone_config_key(size_t index);

/* Everything that happened to a drone since drone_new() or drone_counters_reset(). */
struct drone_counters {
	uint64_t requests;	  /* transfers received in all */
	uint64_t standard;	  /* standard requests among them */
	uint64_t beyond_standard; /* class, vendor, bulk, reset: what enumeration never sends */
	uint64_t writing;	  /* ask for a change: erase, data, leave, reboot */
	uint64_t dfu[7];	  /* by bRequest: DETACH .. ABORT */
	uint64_t vendor, cdc, bulk_out, bulk_in, resets;
	uint64_t stalls;
	uint64_t nak_us;  /* host time spent in answers delayed by a busy device */
	uint64_t busy_us; /* erasing and programming */
	uint64_t blocks_written, bytes_written, blocks_read, bytes_read, set_addresses;
	uint64_t erases;
	uint64_t outside_writes, outside_erases; /* below application_addr or not in flash at all */
	uint64_t mass_erases, unprotects, option_writes, otp_writes, feature_writes;
	uint64_t overwrites; /* programmed bytes that were not blank */
	uint64_t reboots, leaves, boots, enumerations;
	uint64_t lights_good, lights_bad;
	uint64_t passthrough; /* class requests that arm ESC pass-through */
	uint64_t fates;	      /* strikes */
	uint64_t asserts[DRONE_ASSERT_COUNT];
	uint64_t darks;			  /* mode switches that ended dark */
	uint64_t vcc_cycles;		  /* power cycles by the nRF51, at the STM32's word */
	uint64_t deck_erases, deck_bytes; /* erased and written in decks' memories */
	uint16_t sector_erases[DRONE_SECTORS_MAX]; /* of the first memory */
};

enum drone_event_kind {
	DRONE_QUIET = 0, /* nothing due */
	DRONE_ENDED,	 /* a transfer ended */
	DRONE_ATTACHED,	 /* enumerated with the personality drone_personality() */
	DRONE_DETACHED,	 /* off the bus; what is in flight ends before or after */
	DRONE_SWAPPED	 /* taken away for good; drone_replacement() says what comes */
};

enum drone_channel { DRONE_CONTROL = 0, DRONE_OUT, DRONE_IN, DRONE_CHANNELS };

struct drone_event {
	enum drone_event_kind kind;
	enum drone_channel channel;
	enum usb_status status;
	const uint8_t *data; /* valid until the next call on the drone */
	size_t length;
};

/* 0 or -ENOMEM.  A new drone is off; sector 0 holds a cf2loader, the rest of the flash is blank. */
int drone_new(const struct drone_config *c, struct drone **ret_drone) MUST_CHECK;
void drone_free(struct drone *d);

/* ---- the flash from outside (a programmer's probe): no time passes, nothing is counted ---- */

/* Bytes outside every memory are refused with -ERANGE.  -ENOMEM. */
int drone_load(struct drone *d, uint32_t addr, const void *data, size_t length) MUST_CHECK;
/* Settles what is over at now_us, then copies; unmapped bytes read as 0. */
void drone_peek(struct drone *d, uint64_t now_us, uint32_t addr, void *data, size_t length);
/* Makes all memories of d, OTP included, like those of another of its model.  0 or -ENOMEM. */
int drone_copy_flash(struct drone *d, const struct drone *from) MUST_CHECK;
/* Makes a range of the flash blank again. */
void drone_blank(struct drone *d, uint32_t addr, size_t length);

/* ---- hands on the drone ---- */

void drone_plug(struct drone *d, uint64_t now_us);   /* USB in: power up, boots */
void drone_unplug(struct drone *d, uint64_t now_us); /* USB out: power off, also in mid-operation */
void drone_button(struct drone *d, uint64_t now_us); /* the same with the button held: ROM */
/* Off and on again with USB in: as unplug + plug, back at least 200 ms later. */
void drone_power_cycle(struct drone *d, uint64_t now_us);
/* The host resets the port: the ROM's DFU session restarts, the run-time link is off. */
void drone_bus_reset(struct drone *d, uint64_t now_us);
/* The bus alone is interrupted (hub reset): same mode again after back_ms, the chip goes on. */
void drone_glitch(struct drone *d, uint64_t now_us, uint32_t back_ms);
/* Another drone put in in DFU or run-time mode back_ms from now: how replacements come up. */
void drone_appear(struct drone *d, uint64_t now_us, enum drone_personality as, uint32_t back_ms);

/* ---- the bus ---- */

/* 0, -ENODEV when off the bus, -EBUSY when the channel has one in flight, -EINVAL. */
int drone_submit(struct drone *d, uint64_t now_us, const struct usb_xfer *x) MUST_CHECK;
/* Takes back the transfer in flight on the channel, if any: it is not reported. */
void drone_cancel(struct drone *d, uint64_t now_us, enum drone_channel ch);
bool drone_in_flight(const struct drone *d, enum drone_channel ch);
enum drone_channel drone_channel_of(const struct usb_xfer *x);

/* When drone_step() has something to say; DRONE_NEVER = not without further calls. */
uint64_t drone_next_us(const struct drone *d);
/* Reports one event that is due at now_us, in seeded order where several are. */
void drone_step(struct drone *d, uint64_t now_us, struct drone_event *ret_event);

/* ---- accessors -------- */

enum drone_personality drone_personality(const struct drone *d);
/* Fills vid, pid, bcd_device and the three strings, as a host would have read them. */
void drone_describe(const struct drone *d, struct sighting *s);
/* Device and configuration descriptor as read at enumeration; returns the length. */
size_t drone_descriptors(struct drone *d, uint8_t *buf, size_t size);
/* The self-test of this start will be passed, or was, at this time; DRONE_NEVER when it fails. */
uint64_t drone_selftest_us(const struct drone *d);
const struct drone_counters *drone_counters(const struct drone *d);
void drone_counters_reset(struct drone *d);
const struct drone_config *drone_config(const struct drone *d);
/* The answer to D1 01 (version) that the program in the flash gives; "" when it gives none. */
const char *drone_version(struct drone *d, uint64_t now_us);
/* Would the application in the flash come up on this drone? */
bool drone_would_boot(struct drone *d, uint64_t now_us);
/* dfuIDLE.. as GETSTATE would say; only in ROM mode. */
uint8_t drone_dfu_state(const struct drone *d);
/* In ROM mode by the button, so that BOOT0 is high until power is removed. */
bool drone_is_button_entered(const struct drone *d);

/* Its EEPROM, 8192 bytes, to look at and to change; good for the drone's life. */
uint8_t *drone_eeprom(struct drone *d);
/* Its word in the configuration: "lighthouse-wrong". */
const char *drone_deck_word(enum drone_deck deck);
/* The deck in this place of the configuration.  Settles what is over at now_us. */
enum drone_deck_state drone_deck_state(struct drone *d, uint64_t now_us, unsigned place);
/* ... its record's name in the deck memory, as "bcLighthouse4"; "" none. */
void drone_deck_name(const struct drone *d, unsigned place, char ret_name[24]);
/* ... and what is in its flash; NULL: as it came. */
const uint8_t *drone_deck_flash(const struct drone *d, unsigned place);
/* Its self-test has passed since the firmware's last start. */
bool drone_selftest_passed(const struct drone *d, uint64_t now_us);
/* Its firmware started after an ASSERT of its own, and fails its self-test for that. */
bool drone_resumed(const struct drone *d);
/* In the radio's boot loader, off the bus until its power goes. */
bool drone_is_dark(const struct drone *d);
/* Its CRTP link is on USB: it does not hear its radio. */
bool drone_is_linked(const struct drone *d);
/* The radio configuration in force since the firmware's last start: 0 250K, 1 1M, 2 2M. */
void drone_radio(const struct drone *d, uint8_t *ret_channel, uint8_t *ret_rate,
		 uint64_t *ret_address);

/* ---- fault ---- */

/* 0, or -ENOSPC. */
int drone_arm(struct drone *d, const struct fate *f) MUST_CHECK;
/* Forgets armed fates and lasting ones (silent, slow, liar, ...). */
void drone_disarm(struct drone *d);
/* One open fails with the errno returned here (0 = works): FATE_OPEN_*. */
int drone_open_error(struct drone *d);
/* After DRONE_SWAPPED: in which mode and when the other one appears. */
void drone_replacement(const struct drone *d, enum drone_personality *ret_as,
		       uint32_t *ret_back_ms);

/* ---- identity and the floor ---- */

/* text: at least 25 bytes.  Run-time: 24 digits; ROM: 12 digits by the rule. */
void drone_serial_runtime(const uint8_t uid[12], char *text);
void drone_serial_rom(const uint8_t uid[12], enum drone_serial rule, char *text);
/* text: 24 hex digits.  0 or -EINVAL. */
int drone_uid_parse(const char *text, uint8_t uid[12]) MUST_CHECK;

struct drone_segment {
	uint32_t addr, length;
};

/* The least a perfect host needs: the device's own time, and the data stages on the wire. */
struct drone_floor {
	uint64_t erase_us;   /* each touched sector once */
	uint64_t program_us; /* each byte once */
	uint64_t send_us;    /* data stages of DNLOAD */
	uint64_t read_us;    /* data stages of reading it all back once */
};

/* unit: 1, 2 or 4 bytes programmed at a time. */
void drone_floor(const struct drone_config *c, const struct drone_segment *segments, size_t count,
		 unsigned unit, struct drone_floor *ret_floor);

#endif
