/* SPDX-License-Identifier: MIT */
/*
 * The operator's settings: cfdfud.conf and its drop-ins -> one plain value (doc/promises.md 4;
 * cfdfud.conf(5)).
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/platform.h"
#include "cfdfu/util.h"
#include "cfdfu/watch.h"
#include "cfdfu/device.h"
#include "core/job.h"
#include "firmware/signature.h"

#define SETTINGS_ERROR_MAX 512
#define SETTINGS_GLOBS_MAX 64	/* LIMIT: patterns in one `ports` list */
#define SETTINGS_LABELS_MAX 256 /* LIMIT: lines of [slots] */
#define SETTINGS_RULES_MAX 256	/* LIMIT: lines of [platforms] */
#define SETTINGS_DEVICES_MAX 16 /* LIMIT: [device NAME] sections */
#define SETTINGS_DRONES_MAX 512 /* LIMIT: lines of [drones] */
#define SETTINGS_ROWS_MAX 26	/* LIMIT: of the rack; letters */
#define SETTINGS_COLUMNS_MAX 99 /* LIMIT */
#define SETTINGS_WHY_MAX 256	/* a reason, one clause without a full stop */
#define SETTINGS_LABEL_TEXT_MAX 64
#define SETTINGS_NAME_MAX 32
#define SETTINGS_FOLDER_MAX 256
#define SETTINGS_LEARNED UINT32_MAX

enum settings_pacing { PACING_EXPECT, PACING_OBEY, PACING_COUNT };
enum settings_parallelism { PARALLELISM_BYTE, PARALLELISM_WORD, PARALLELISM_COUNT };
enum settings_stagger { STAGGER_CONTROLLER, STAGGER_HUB, STAGGER_COUNT };
enum settings_leave { LEAVE_APPLICATION, LEAVE_LOADER, LEAVE_COUNT };
enum settings_power_cycle { POWER_CYCLE_NEVER, POWER_CYCLE_AUTO, POWER_CYCLE_COUNT };
enum settings_order { ORDER_ROWS, ORDER_COLUMNS, ORDER_COUNT };
enum settings_decks { DECKS_NO, DECKS_REPORT, DECKS_YES, DECKS_COUNT };

/* A list of globs on ports ("1-4.2") or their device paths; empty means every port. */
struct settings_ports {
	char glob[SETTINGS_GLOBS_MAX][PATH_TEXT_MAX];
	size_t count;
};

struct settings_label {
	char glob[PATH_TEXT_MAX];
	char label[SETTINGS_LABEL_TEXT_MAX];
};

/* A rule of [platforms]: the platform of the drone on this port, or with this serial. */
struct settings_rule {
	char target[PATH_TEXT_MAX]; /* port, device path or serial */
	enum platform platform;
};

/* The name that people call a drone by: a line of [drones]. */
struct settings_drone {
	char serial[SERIAL_TEXT_MAX];
	char name[SETTINGS_LABEL_TEXT_MAX];
};

/* A [device NAME] section, and where such a device may be plugged in. */
struct settings_device {
	struct device device;
	struct settings_ports ports;
};

/* Plain value, about 370 KB: on the heap only.  Durations in milliseconds; 0 is "no limit" where it
 * says so. */
struct settings {
	/* [station] */
	struct settings_ports ports; /* slots this station may touch */
	enum job_adopt adopt;	     /* DFU devices of unknown origin */
	uint32_t quarantine;	     /* failures in a row on one port; 0 never */
	uint32_t brake;		     /* drones harmed alike by one image, in a row; 0 never */
	uint32_t idle_exit_ms;	     /* leave after so long without work; 0 stay */
	uint32_t max_active;	     /* drones at work at once */
	uint32_t switch_limit;	     /* drones between two modes at once; 0 no limit */
	uint32_t switch_stagger_ms;  /* between two mode switches; 0 none */
	enum settings_stagger switch_stagger_of; /* ... of the same */
	/* Drones writing behind one transaction translator; 0 no limit. */
	uint32_t writers_per_translator; /* SETTINGS_LEARNED: no limit but of blocks at once */
	uint32_t runtime_per_controller; /* run-time drones on one host controller; 0 no limit */
	uint32_t boot_timeout_ms;	 /* from leaving to run-time mode */
	uint32_t dfu_timeout_ms;	 /* from the reboot request to DFU mode */
	uint32_t attempt_deadline_ms;	 /* one whole attempt */
	uint64_t free_space_floor_bytes; /* no attempt is started with less on the state directory's
					    disk */
	char group[SETTINGS_NAME_MAX];	 /* its members may change things */
	uint32_t log_level;		 /* syslog priority: LOG_ERR .. LOG_DEBUG */
	uint32_t low_battery_mv;	 /* warned below; 0 never */
	/* [flash] */
	enum settings_pacing pacing;
	enum settings_parallelism parallelism;
	enum settings_leave leave;
	enum job_skip skip;
	bool light;		/* show the ending on the drone */
	bool backup;		/* read a never-seen drone before its first write */
	uint32_t backup_keep;	/* backups kept of one drone; 0 no limit */
	uint64_t backup_age_ms; /* older ones are thinned out; 0 no limit */
	enum settings_power_cycle power_cycle;
	uint32_t link_patience_ms; /* from a drone's appearing to the first question */
	/* [firmware] */
	char trusted[SETTINGS_FOLDER_MAX]; /* folder of the keys */
	bool require_signature;		   /* unsigned firmware is not used */
	struct signature_keys keys;	   /* what that folder held when this was read */
	/* [decks] */
	enum settings_decks decks;
	/* [batch], where it is not said when one begins; 0: not asked for */
	uint32_t batch_stop_after, batch_canary;
	/* [rack] */
	uint32_t rack_rows, rack_columns; /* 0 not given */
	enum settings_order rack_order;	  /* of ports, where no label tells a place */
	/* [slots], [platforms], [drones], [device NAME] */
	struct settings_label labels[SETTINGS_LABELS_MAX];
	size_t label_count;
	struct settings_rule rules[SETTINGS_RULES_MAX];
	size_t rule_count;
	struct settings_drone drones[SETTINGS_DRONES_MAX];
	size_t drone_count;
	struct settings_device devices[SETTINGS_DEVICES_MAX];
	size_t device_count;
	/* Every assignment with where it came from, for settings_each(). */
	struct setting *list;
	size_t count;
};

/* One effective setting; origin is "file:line", or "default". */
struct setting {
	char *section, *key, *value, *origin;
};

/*
 * Reads this file alone, which has to exist.  file NULL: cfdfud.conf (of the first directory that
 * has one) and then every cfdfud.conf.d/NAME.conf in the order of their NAMEs; of two files with
 * one NAME the one in the earlier directory counts, and an empty file or a link to /dev/null hides
 * the others.  No file at all is fine: defaults.  dirs NULL: where an installed station looks.
 *
 * 0; -EINVAL a line is wrong (ret_error says "FILE:LINE: what"), or another negative errno with
 * ret_error.  ret_error is always written, "" on success.
 */
int settings_load(const char *file, const char *const *dirs, struct settings **ret_settings,
		  char ret_error[SETTINGS_ERROR_MAX]) MUST_CHECK;

void settings_free(struct settings *c); /* NULL is fine */

/* Takes over what the fresh ones say, in place: pointers to the settings stay good. */
void settings_replace(struct settings *c, struct settings *take_fresh);

/* Does one glob match a port?  path: its device path; "" or NULL unknown. */
bool settings_port_matches(const char *glob, const char *port, const char *path);

/* An empty list matches every port.  path as above. */
bool settings_ports_match(const struct settings_ports *ports, const char *port, const char *path);

/* The slot's label: an exact line beats a glob, one of a device path one of a port, a later line an
 * earlier one; NULL when it has none.  path as above. */
const char *settings_label(const struct settings *c, const char *port, const char *path);

/* The drone's name in [drones], by its run-time serial; NULL: it has none there. */
const char *settings_drone_name(const struct settings *s, const char *serial);
/* May a drone be called so?  -EINVAL with why. */
int settings_check_name(const char *name, char ret_why[SETTINGS_WHY_MAX]) MUST_CHECK;

/* The n-th profile that the fleet gets, NULL after the last: a section said later first, since the
 * fleet takes the first that fits. */
const struct device *settings_profile(const struct settings *s, size_t n);
/* struct drone_history: BIT(n + 1) for each of these profiles that the device may be. */
unsigned settings_described_as(const struct settings *s, const struct sighting *sighting);

/* May firmware with this signer be used?  0; -ENOKEY: no, it is not signed ("" or NULL);
 * -EKEYREJECTED: no, its key is not trusted. */
int settings_trust(const struct settings *s, const char *signer) MUST_CHECK;

/* The fleet's part of the settings (core/fleet.h). */
struct fleet_options settings_fleet_options(const struct settings *s);

/* Calls each() for every setting that is in force, section by section: the merged view. */
void settings_each(const struct settings *c, void (*each)(void *ctx, const struct setting *setting),
		   void *ctx);

#endif
