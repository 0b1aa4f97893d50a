/* SPDX-License-Identifier: MIT */
/* Shared by the files station*.c; nobody else includes it. */
#ifndef FLOW_STATION_PARTS_H
#define FLOW_STATION_PARTS_H

#include "flow/station.h"
#include "sim/rng.h"

enum { STATION_IMAGES_MAX = 24, STATION_COMMITS_MAX = 512, STATION_ASIDE_MAX = 64 };

struct commit {
	unsigned slot;
	int64_t id;
	bool end;
	uint64_t due_us;
};

/* What the station's tests know of one port, beside what the fleet believes. */
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
	bool fated;		 /* a misfortune was armed here */
	bool lied; /* ... and it was the liar: its flash cannot be known (doc/faults.md H11) */
	uint32_t erased_addr[12]; /* sectors that this attempt has erased */
	unsigned erased_count;
	int64_t touched_row;  /* the attempt that sent the last destructive request */
	uint64_t loader_hash; /* of the boot loader's sector as delivered; 0 not known */
	uint64_t view_hash, view_revision;
};

struct station {
	struct station_options options;
	struct world *world;
	struct fleet *fleet;
	struct rng rng; /* which of the pending commits survive a crash */
	struct image *images[STATION_IMAGES_MAX];
	size_t image_count;
	/* the disk */
	struct station_row *rows;
	size_t row_count;
	struct commit commits[STATION_COMMITS_MAX]; /* asked for, not durable yet; oldest first */
	size_t commit_count;
	int disk_error;
	char aside_serials[STATION_ASIDE_MAX][SERIAL_TEXT_MAX];
	size_t aside_count;
	/* the truth */
	struct seat seats[STATION_DRONES_MAX];
	size_t seat_count;
	uint8_t seat_of_slot[FLEET_SLOTS_MAX]; /* 1 + index; 0 not looked up yet */
	void (*on_submit)(void *ctx, const struct request *c);
	void *on_submit_ctx;
	/* the brake: what the records say of it, and own reading of the rule (I19) */
	bool braked;
	uint8_t barred[STATION_IMAGES_MAX][IMAGE_SHA256_BYTES];
	size_t barred_count;
	uint64_t harm_from; /* endings up to this order do not count any more */
	uint64_t trace, flashes, commit_total, events, arms_refused;
	char broken[256];
};

static inline uint64_t
station_now_us(const struct station *s)
{
	return world_now_us(s->world);
}

/* station.c */
void station_break(struct station *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void station_mix(struct station *s, uint64_t v);
void station_pump(struct station *s);
struct seat *station_seat(struct station *s, const char *port); /* made on first use */
struct seat *station_seat_of_slot(struct station *s, unsigned slot);

/* station_disk.c */
struct station_row *disk_row(struct station *s, int64_t id);
void disk_begin(struct station *s, const struct request *c);
void disk_end(struct station *s, const struct request *c);
void disk_commit_due(struct station *s);
uint64_t disk_due_us(const struct station *s);
void disk_look_up(struct station *s, const struct sighting *sighting,
		  struct drone_history *history);
void disk_crash(struct station *s);
void disk_tell_fleet(struct station *s, struct fleet *fresh);
void disk_aside(struct station *s, const char *serial, bool aside);

/* station_brake.c */
void brake_told(struct station *s, const struct job_record *r);
void brake_check(struct station *s, const char *port, const struct image *image);
void brake_restarted(struct station *s, struct fleet *fresh);

/* station_check.c */
void check_open(struct station *s, const struct request *c);
void check_close(struct station *s, const struct request *c);
void check_xfer(struct station *s, const struct request *c);
void check_ending(struct station *s, struct station_row *row, const struct job_record *r);
void check_told(struct station *s, const struct fleet_event *e);
void check_view(struct station *s);  /* of one slot, in turns */
void check_quiet(struct station *s); /* nothing is under way */
bool check_equal(struct station *s, struct drone *d, const struct image *image,
		 uint32_t except_addr, uint32_t except_bytes);
uint64_t check_loader_hash(struct station *s, struct drone *d);

#endif
