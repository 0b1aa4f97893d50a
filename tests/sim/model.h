/* SPDX-License-Identifier: MIT */
/* Private to the files of the simulated drone; no other file includes this. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "sim/chip.h"
#include "sim/deck.h"
#include "sim/drone.h"
#include "sim/fate.h"
#include "sim/firmware.h"
#include "sim/memory.h"
#include "sim/rng.h"

#define PACKETS_MAX 256	 /* LIMIT: CRTP packets waiting for the host; more are dropped */
#define QUESTIONS_MAX 16 /* SPEC: doc/beyond-dfu.md 1: packets waiting for the firmware */
#define PACKET_BYTES 32

/* SPEC: DFU 1.1 A.2, own reading of doc/protocol.md 3. */
enum dfu_state {
	ST_IDLE = 2,
	ST_DNLOAD_SYNC = 3,
	ST_DNBUSY = 4,
	ST_DNLOAD_IDLE = 5,
	ST_MANIFEST_SYNC = 6,
	ST_MANIFEST = 7,
	ST_UPLOAD_IDLE = 9,
	ST_ERROR = 10
};

enum dfu_status_code {
	ERR_OK = 0,
	ERR_TARGET = 1,
	ERR_WRITE = 3,
	ERR_FIRMWARE = 10,
	ERR_VENDOR = 11,
	ERR_UNKNOWN = 14,
	ERR_STALLEDPKT = 15
};

enum rom_op {
	OP_NONE = 0,
	OP_ADDRESS,
	OP_ERASE,
	OP_MASS_ERASE,
	OP_UNPROTECT,
	OP_WRITE,
	OP_UNKNOWN
};

struct rom {
	uint8_t state, status;
	uint32_t pointer;
	bool by_button; /* BOOT0 is high */
	enum rom_op op; /* pending in DNLOAD-SYNC, being done in DNBUSY */
	bool running;	/* started, effect not yet in the memory */
	uint8_t result; /* what the operation ends with */
	uint32_t op_addr;
	size_t op_length;
	uint8_t op_data[USB_TRANSFER_BYTES_MAX];
	uint64_t begun_us, over_us; /* over_us: busy until then; DRONE_NEVER = stuck */
	bool stick_next;
	uint8_t parallelism; /* Device Feature's first byte */
};

struct packet {
	uint64_t ready_us;
	uint8_t length;
	uint8_t bytes[PACKET_BYTES];
};

struct run {
	bool linked;
	/* SPEC: doc/beyond-dfu.md 11.3: packets survive switches of the link. */
	unsigned head, count;		   /* of packet */
	unsigned readable;		   /* so many of them while the link is off */
	struct packet packet[PACKETS_MAX]; /* by time */
	unsigned questions;
	struct packet question[QUESTIONS_MAX]; /* asked while the link was off */
	uint32_t console_line;
};

struct channel {
	bool active;
	bool skip;    /* not processed: ends with forced */
	bool already; /* processed when it was submitted */
	bool hold;    /* the host does not notice that the device left */
	enum usb_status forced;
	uint64_t begun_us, done_us;
	struct fate fate; /* that struck this transfer */
	struct usb_xfer x;
	size_t reply_length; /* of an already processed one */
	uint8_t buf[USB_TRANSFER_BYTES_MAX];
};

/* Results of a scan of the flash. */
struct findings {
	bool valid; /* up to date with the flash */
	bool vectors_ok, blank;
	unsigned types;	    /* how many supported device types */
	bool fits;	    /* one of them is the drone's */
	char type_text[32]; /* the name its record gives the drone */
	char version[32], revision[16];
	uint32_t revision_addr; /* where its text stands */
	bool modified_known, modified;
};

struct reply {
	enum usb_status status;
	bool pending;  /* no answer: the transfer stays in flight ... */
	bool hold;     /* ... even when the device leaves the bus */
	size_t length; /* of drone.reply */
};

struct drone {
	struct drone_config config;
	const struct chip *chip;
	struct rng rng;
	struct drone_counters counters;
	uint64_t now_us;

	struct memory memory[CHIP_MEMORIES_MAX];
	struct memory *echo; /* a liar's: what reading shows; CHIP_MEMORIES_MAX of them */
	struct findings findings;
	char cached_version[32];

	enum drone_personality on_bus; /* what the host sees */
	enum drone_personality next;   /* at attach_us */
	uint64_t attach_us, detach_us;
	bool powered, by_button_next;
	bool swap_pending; /* DRONE_SWAPPED to be reported once off the bus */
	enum drone_personality swap_as;
	uint32_t swap_back_ms;
	uint8_t configuration, alternate[3];
	unsigned config_reads; /* since the enumeration */
	bool class_patched;

	struct rom rom;
	struct run run;
	struct firmware firmware;
	bool keeps_running; /* the bus alone was interrupted: its next attach is no start */
	char ram_crash[DRONE_TEXT_MAX]; /* an ASSERT's; "" none; lost without power */
	uint8_t eeprom[EEPROM_BYTES];
	struct deck deck[DRONE_DECKS_MAX];
	bool vcc_off; /* the detach to come is the loss of VCC */
	bool dark;    /* in the radio's boot loader */
	bool deckctrl_dfu,
	    deckctrl_dfu_next; /* in its boot loader since VCC came back; next time */
	struct channel channel[DRONE_CHANNELS];
	uint8_t reply[USB_TRANSFER_BYTES_MAX];

	struct fate fates[DRONE_FATES_MAX];
	unsigned fate_count;
	bool mute;
	uint32_t slow_ms; /* 0 = not slow */
	bool no_serial, cut_strings, hostile_strings, dup_serial;
	uint32_t poll_override;
	bool poll_overridden;
};

/* drone_usb.c: what every device answers. */
unsigned usb_transfer_size(const struct drone *d);
void usb_standard(struct drone *d, const struct usb_setup *s, struct reply *r);
void usb_reset_state(struct drone *d);

/* drone_rom.c */
void rom_enter(struct drone *d, bool by_button);
void rom_control(struct drone *d, uint64_t now, const struct channel *c, struct reply *r);
/* When the boot loader's processor is free to answer this request. */
uint64_t rom_ready_us(const struct drone *d, uint64_t now, const struct usb_setup *s);
/* Puts the effect of an operation that is over into the memory. */
void rom_settle(struct drone *d, uint64_t now);
/* Power fails: what the operation had done by then stays. */
void rom_interrupt(struct drone *d, uint64_t now);
void rom_force_error(struct drone *d, uint8_t status);

/* rom_memory.c: the operations on the memories. */
void rom_op_begin(struct drone *d, uint64_t now);
uint64_t rom_op_duration_us(const struct drone *d);
int rom_read(struct drone *d, uint32_t addr, uint8_t *buf, size_t length);
struct memory *rom_view(struct drone *d, const struct chip_memory *cm);

/* drone_run.c, crtp.c */
void run_enter(struct drone *d);
void run_control(struct drone *d, uint64_t now, const struct channel *c, struct reply *r);
bool run_answers(const struct drone *d, const struct usb_setup *s);
void run_out(struct drone *d, uint64_t now, const struct channel *c, struct reply *r);
void run_in(struct drone *d, const struct channel *c, struct reply *r);
uint64_t run_in_ready_us(const struct drone *d);
void run_queue(struct drone *d, uint64_t ready_us, const uint8_t *bytes, size_t length);

/* power.c */
/* VCC goes: what STM32 and decks have in RAM is lost. */
void power_off(struct drone *d, uint64_t now);
/* Throws the dice of a software reset. */
bool power_ends_dark(struct drone *d);

/* crtp.c */
void crtp_answer(struct drone *d, uint64_t now, const uint8_t *packet, size_t length);
void crtp_reply(struct drone *d, uint64_t now, const uint8_t *packet, size_t length);

/* boot.c */
enum boot_via { BOOT_RESET, BOOT_JUMP };
/* The program that starts: BOOT_RESET by boot pins and loader, BOOT_JUMP to the vectors at addr. */
enum drone_personality boot_decide(struct drone *d, enum boot_via via, uint32_t addr,
				   bool by_button);
const struct findings *boot_look(struct drone *d);
void boot_flash_changed(struct drone *d);
void boot_otp_type(const struct drone *d, char type[5]);
const char *boot_type_text(struct drone *d);
int boot_prepare(struct drone *d) MUST_CHECK;

/* drone_fate.c */
/* Counts the request for every armed fate; true and the fate when one strikes. */
bool fate_strikes(struct drone *d, const struct usb_xfer *x, struct fate *ret);
/* True, with the fate, when one of this kind strikes this occasion. */
bool fate_occasion(struct drone *d, enum fate_kind kind, struct fate *ret);
/* Applies a fate to a transfer before it starts; may end it or delay it. */
void fate_before(struct drone *d, uint64_t now, struct channel *c);
/* ... and what happens to its answer. */
void fate_after(struct drone *d, uint64_t now, struct channel *c, struct reply *r);

/* drone.c */
void drone_leave_bus(struct drone *d, uint64_t at_us, enum drone_personality next,
		     uint64_t back_us);
uint64_t drone_draw_ms(struct drone *d, uint32_t low, uint32_t high);
void drone_run_request(struct drone *d, uint64_t now, struct channel *c, struct reply *r);

#endif
