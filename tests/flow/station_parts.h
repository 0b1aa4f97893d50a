/* SPDX-License-Identifier: MIT */
/* Shared by the files station*.c. */
#ifndef FLOW_STATION_PARTS_H
#define FLOW_STATION_PARTS_H

#include "app/services.h"
#include "app/turns.h"
#include "flow/station.h"
#include "sim/rng.h"
#include "store/store.h"

enum { STATION_IMAGES_MAX = 24, STATION_REPORTS_MAX = 2048, STATION_RESUMES_MAX = 64 };

enum report_kind { REPORT_SIGHTED, REPORT_GONE, REPORT_OPENED, REPORT_ENDED };

/* Something that the world has said and the loop has not taken yet. */
struct report {
	enum report_kind kind;
	struct sighting sighting; /* GONE: port and arrival */
	uint64_t id;
	int error;
	enum usb_status status;
	bool has_data;
	size_t length;
	uint8_t data[USB_TRANSFER_BYTES_MAX];
};

/* The whole drone beside its STM32's bytes, as station_whole.c follows it on one port. */
struct seat_whole {
	uint64_t eeprom_hash;	/* of what no host may write; 0 not known */
	uint64_t deck_bytes;	/* written to its decks until its last new power */
	uint64_t asked_arrival; /* enumeration in which the supervisor was asked last */
	bool flew;		/* ... and the drone flew then */
	bool identified;	/* an operator wanted its light */
	size_t written;		/* bytes of the last memory write of this conversation */
	uint8_t write[32];
};

/* The true state of one port, beside the fleet's view of it. */
struct seat {
	char port[PORT_TEXT_MAX];
	uint64_t dev;	  /* handle that the fleet has, 0 none */
	uint64_t arrival; /* ... and the enumeration it is for */
	bool opened, in_flight, gone;
	uint8_t alt;	  /* alternate setting selected last */
	uint32_t pointer; /* Set Address sent last */
	bool pointer_known;
	bool aside, forced;	 /* quarantined; the operator forces it all the same */
	bool known, interrupted; /* what the records say of the drone */
	bool interrupted_last;	 /* ... when it was sighted last */
	uint8_t sent_uid[12];	 /* the drone that was asked to reboot here */
	bool fated;		 /* a fault was armed here */
	bool lied; /* ... and it was the liar: its flash cannot be known (doc/faults.md H11) */
	uint32_t erased_addr[12]; /* sectors that this attempt has erased */
	unsigned erased_count;
	int64_t touched_row;  /* the attempt that sent the last destructive request */
	int64_t let_row;      /* its attempt in a batch that has rebooted or changed the drone */
	bool goes_on;	      /* ... or has done so when the batch stopped */
	uint64_t loader_hash; /* of the boot loader's sector as delivered; 0 not known */
	uint64_t view_hash, view_revision;
	struct seat_whole whole;
};

/* The batch that runs, for I21. */
struct station_batch {
	struct batch_terms terms;
	bool runs, checked;
	uint64_t begun_us, stopped_us;	       /* 0: it has not stopped */
	uint64_t resumed[STATION_RESUMES_MAX]; /* the last ending's order, each time */
	size_t resume_count;
};

struct station {
	struct station_options options;
	struct world *world;
	struct fleet *fleet;
	struct rng rng; /* how the daemon dies */
	struct image *images[STATION_IMAGES_MAX];
	size_t image_count;
	/* the product's own */
	struct store *store;
	struct recorder *recorder;
	struct dispatch *dispatch;
	struct turns turns;
	struct services sv; /* these, as recorder and dispatch get them */
	uint64_t wake_us;   /* dispatch_tick() is wanted then */
	uint64_t second_us; /* the last second that recorder_check() was called for */
	struct report *reports;
	size_t report_next, report_end;
	/* the disk, and what is on it */
	int disk_error;
	unsigned dies_after; /* so many writes more; 0 it does not */
	bool died;
	uint64_t seen_durable; /* store_durable() when the rows were read */
	struct station_row *rows;
	size_t row_count, first_open;
	unsigned oldest_asked;
	/* the truth */
	struct seat seats[STATION_PORTS_MAX];
	size_t seat_count;
	struct seat *seat_of_slot[FLEET_SLOTS_MAX]; /* as it was looked up last; NULL not yet */
	void (*on_submit)(void *ctx, const struct request *c);
	void *on_submit_ctx;
	/* the brake: what the records say of it, and own reading of the rule (I19) */
	bool braked;
	uint8_t barred[STATION_IMAGES_MAX][IMAGE_SHA256_BYTES];
	size_t barred_count;
	uint64_t harm_from; /* endings up to this order do not count any more */
	struct station_batch batch;
	uint64_t trace, flashes, commit_total, ending_total, events, arms_refused;
	char broken[256];
};

static inline uint64_t
station_now_us(const struct station *s)
{
	return world_now_us(s->world);
}

/* How a daemon ends: as if killed, as asked, or with its station. */
enum disk_end { DISK_KILLED, DISK_STOPPED, DISK_LAST };

/* station.c */
void station_break(struct station *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void station_mix(struct station *s, uint64_t v);
void station_dispatch(struct station *s);
struct seat *station_seat(struct station *s, const char *port); /* made on first use */
struct seat *station_seat_of_slot(struct station *s, unsigned slot);

/* station_shell.c */
extern const struct world_callbacks shell_world;
struct station *shell_current(void);
uint64_t shell_virtual_us(int64_t wall_ms);
void shell_start(struct station *s, bool fresh); /* on the fleet that there is; fresh: no records */
void shell_stop(struct station *s, enum disk_end end);
void shell_deliver(struct station *s);	  /* the reports that wait */
uint64_t shell_due_us(struct station *s); /* when the clock alone makes something happen */
void shell_tick(struct station *s);

/* station_disk.c */
void disk_reset(struct station *s); /* empty records */
void disk_open(struct station *s);
void disk_close(struct station *s, enum disk_end end);
void disk_look(struct station *s);			     /* reads the rows that are new on it */
void disk_go_on(struct station *s);			     /* each second */
bool disk_is_seen(const struct station *s);		     /* the rows are those on it */
struct station_row *disk_row(struct station *s, int64_t id); /* NULL: not on it */

/* station_brake.c */
void brake_told(struct station *s, const struct job_record *r);
void brake_check(struct station *s, const char *port, const struct image *image);
void brake_restarted(struct station *s, struct fleet *old);

/* station_batch.c */
void batch_let(struct station *s, struct seat *seat); /* it is rebooted or changed */
void batch_told(struct station *s);
void batch_quiet(struct station *s);
void batch_resumed(struct station *s);
void batch_restarted(struct station *s);

/* station_check.c */
void check_open(struct station *s, struct seat *seat, uint64_t dev, uint64_t arrival);
void check_xfer(struct station *s, struct seat *seat, const struct usb_xfer *x);
void check_told(struct station *s, const struct fleet_event *e);
void check_view(struct station *s);  /* of one slot, in turns */
void check_quiet(struct station *s); /* nothing is under way */

/* station_whole.c */
void whole_added(struct seat *seat, struct drone *d);
void whole_xfer(struct station *s, struct seat *seat, const struct usb_xfer *x);
void whole_view(struct station *s, struct seat *seat, const struct slot_view *v);
void whole_ending(struct station *s, struct seat *seat, struct drone *d,
		  const struct job_record *r);
void whole_quarantined(struct station *s, const char *port);
void whole_quiet(struct station *s);

/* station_flash.c */
bool check_equal(struct station *s, struct drone *d, const struct image *image,
		 uint32_t except_addr, uint32_t except_bytes);
uint64_t check_loader_hash(struct station *s, struct drone *d);
bool check_word_is_blank(struct station *s, struct drone *d);

#endif
