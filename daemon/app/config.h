/* SPDX-License-Identifier: MIT */
/*
 * What the operator set: cfdfud.conf and its drop-ins -> one plain value (doc/promises.md 4;
 * cfdfud.conf(5)).
 *
 * The build's own config.h is another file: sources of this folder include that one as <config.h>,
 * with angle brackets, because "config.h" would find this file first.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/platform.h"
#include "cfdfu/util.h"
#include "cfdfu/watch.h"
#include "core/layout.h"

#define CONFIG_ERROR_MAX 512
#define CONFIG_GLOBS_MAX 64	/* LIMIT: patterns in one `ports` list */
#define CONFIG_LABELS_MAX 256	/* LIMIT: lines of [slots] */
#define CONFIG_RULES_MAX 256	/* LIMIT: lines of [platforms] */
#define CONFIG_DEVICES_MAX 16	/* LIMIT: [device NAME] sections */
#define CONFIG_ALTERNATES_MAX 8 /* LIMIT: described memories of one device */
#define CONFIG_PROTECTED_MAX 8	/* LIMIT: protected ranges of one device */
#define CONFIG_LABEL_TEXT_MAX 64
#define CONFIG_NAME_MAX 32

enum config_adopt { ADOPT_NEVER, ADOPT_KNOWN, ADOPT_RECOGNISED, ADOPT_PORT, ADOPT_COUNT };
enum config_pacing { PACING_EXPECT, PACING_OBEY, PACING_COUNT };
enum config_parallelism { PARALLELISM_BYTE, PARALLELISM_WORD, PARALLELISM_COUNT };
enum config_leave { LEAVE_APPLICATION, LEAVE_LOADER, LEAVE_COUNT };
enum config_skip { SKIP_READBACK, SKIP_VERSION, SKIP_NEVER, SKIP_COUNT };

/* A list of globs on ports ("1-4.2") or their device paths; empty means every port. */
struct config_ports {
	char glob[CONFIG_GLOBS_MAX][PATH_TEXT_MAX];
	size_t count;
};

struct config_label {
	char glob[PATH_TEXT_MAX];
	char label[CONFIG_LABEL_TEXT_MAX];
};

/* The operator's word on what a slot's or serial's drone is. */
struct config_rule {
	char target[PATH_TEXT_MAX]; /* port, device path or serial */
	enum platform platform;
};

struct config_range {
	uint32_t first_addr, last_addr; /* both inclusive */
};

/* A memory as the operator described it; without one the device's own string is believed. */
struct config_map {
	bool given;
	struct layout layout;
};

/* A [device NAME] section: any DfuSe device that is not a Crazyflie. */
struct config_device {
	char name[CONFIG_NAME_MAX];
	uint16_t vid, pid;
	char manufacturer[64]; /* glob on the string; "" matches all */
	char product[64];      /* glob on the string; "" matches all */
	struct config_ports ports;
	struct config_map maps[CONFIG_ALTERNATES_MAX]; /* by alternate setting */
	bool has_application;			       /* application_addr was given */
	uint32_t application_addr;
	struct config_range protected_ranges[CONFIG_PROTECTED_MAX];
	size_t protected_count;
	bool boots_after_leave;
};

/* Plain value, about 300 KB: on the heap only.  Durations in milliseconds; 0 is "no limit" where it
 * says so. */
struct config {
	/* [station] */
	struct config_ports ports;	 /* slots this station may touch */
	enum config_adopt adopt;	 /* DFU devices of unknown origin */
	uint32_t quarantine;		 /* failures in a row on one port; 0 never */
	uint32_t brake;			 /* drones harmed alike by one image, in a row; 0 never */
	uint32_t idle_exit_ms;		 /* leave after so long without work; 0 stay */
	uint32_t max_active;		 /* drones at work at once */
	uint32_t switch_limit;		 /* drones between two modes at once; 0 no limit */
	uint32_t writers_per_translator; /* drones writing behind one transaction translator; 0 no
					    limit */
	uint32_t runtime_per_controller; /* run-time drones on one host controller; 0 no limit */
	uint32_t boot_timeout_ms;	 /* from leaving to run-time mode */
	uint32_t dfu_timeout_ms;	 /* from the reboot request to DFU mode */
	uint32_t attempt_deadline_ms;	 /* one whole attempt */
	uint64_t free_space_floor_bytes; /* no attempt is started with less on the state directory's
					    disk */
	char group[CONFIG_NAME_MAX];	 /* its members may change things */
	uint32_t log_level;		 /* syslog priority: LOG_ERR .. LOG_DEBUG */
	/* [flash] */
	enum config_pacing pacing;
	enum config_parallelism parallelism;
	enum config_leave leave;
	enum config_skip skip;
	bool light;		/* show the ending on the drone */
	bool backup;		/* read a never-seen drone before its first write */
	uint32_t backup_keep;	/* backups kept of one drone; 0 no limit */
	uint64_t backup_age_ms; /* older ones are thinned out; 0 no limit */
	/* [slots], [platforms], [device NAME] */
	struct config_label labels[CONFIG_LABELS_MAX];
	size_t label_count;
	struct config_rule rules[CONFIG_RULES_MAX];
	size_t rule_count;
	struct config_device devices[CONFIG_DEVICES_MAX];
	size_t device_count;
	/* Every assignment with where it came from, for config_each(). */
	struct config_setting *settings;
	size_t setting_count;
};

/* One effective setting; origin is "file:line", or "default". */
struct config_setting {
	char *section, *key, *value, *origin;
};

extern const char
    *const config_dirs[]; /* where an installed station looks, most important first; NULL ends */

/*
 * Reads cfdfud.conf (of the first directory that has one) and then every cfdfud.conf.d/NAME.conf in
 * the order of their NAMEs; of two files with one NAME the one in the earlier directory counts, and
 * an empty file or a link to /dev/null hides the others.  No file at all is fine: defaults. 0;
 * -EINVAL a line is wrong (ret_error says "FILE:LINE: what"), or another negative errno with
 * ret_error. ret_error is always written, "" on success.
 */
int config_load(const char *const *dirs, struct config **ret_config,
		char ret_error[CONFIG_ERROR_MAX]) MUST_CHECK;

/* The same from this one file alone, which has to exist. */
int config_load_file(const char *path, struct config **ret_config,
		     char ret_error[CONFIG_ERROR_MAX]) MUST_CHECK;

void config_free(struct config *c); /* NULL is fine */

/* Does one glob match a port?  path: its device path; "" or NULL unknown. */
bool config_port_matches(const char *glob, const char *port, const char *path);

/* An empty list matches every port.  path as above. */
bool config_ports_match(const struct config_ports *ports, const char *port, const char *path);

/* The slot's label: an exact line beats a glob, one of a device path one of a port, a later line an
 * earlier one; NULL when it has none.  path as above. */
const char *config_label(const struct config *c, const char *port, const char *path);

/* Could this sighting be the described device, by ids, strings and port? */
bool config_device_matches(const struct config_device *d, const struct sighting *s);

/* The [device] section for this sighting, a later one beating an earlier; NULL: none. */
const struct config_device *config_device_for(const struct config *c, const struct sighting *s);

/* Calls each() for every setting that is in force, section by section: the merged view. */
void config_each(const struct config *c,
		 void (*each)(void *ctx, const struct config_setting *setting), void *ctx);

#endif
