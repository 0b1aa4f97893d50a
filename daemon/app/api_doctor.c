/* SPDX-License-Identifier: MIT */
/* The health of the service as it knows it: records, disk, clock, nodes.  The client looks at the
 * rest. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/records_walk.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/settings.h"
#include "app/status.h"
#include "app/turns.h"
#include "wire/text.h"

/* Words that end in the command that mends it: cut before that, which is returned; NULL none. */
static const char *
cut_fix(char *words)
{
	static const char *const marks[] = { ": cd ", ": sudo ", ": cfdfuctl " };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		char *at = strstr(words, marks[i]);

		if (at != NULL) {
			*at = '\0';
			return at + 2;
		}
	}
	return NULL;
}

static void
check_records(const struct services *sv, json_t *list)
{
	char why[STORE_WHY_MAX] = "";
	enum store_health health = store_health(sv->store, why);
	const char *fix = cut_fix(why);

	if (health == STORE_OK)
		api_check(list, "records", "ok", NULL, "The records can be written.");
	else if (health == STORE_ALARM)
		api_check(list, "records", "warn", fix != NULL ? fix : "cfdfuctl resume", "%s",
			  why);
	else
		api_check(list, "records", "fail", fix != NULL ? fix : "journalctl -u cfdfud -n 20",
			  "%s", why);
}

/* Type RecordWalk. */
static json_t *
walk_json(const struct services *sv)
{
	struct store_walk w;

	store_walk_state(sv->store, &w);
	return json_pack("{s:b, s:I, s:I, s:I, s:o, s:o}", "running",
			 records_walk_is_running(sv->walk), "compared", (json_int_t)w.compared,
			 "total", (json_int_t)w.total, "differences", (json_int_t)w.differences,
			 "first", reply_text(w.first), "whole_at", reply_time(w.whole_ms));
}

static void
check_walk(const struct services *sv, json_t *list)
{
	static const char name[] = "records-compared";
	int error = records_walk_error(sv->walk);
	struct store_walk w;
	json_t *at;

	store_walk_state(sv->store, &w);
	at = reply_time(w.whole_ms);
	if (error < 0)
		api_check(list, name, "warn", "journalctl -u cfdfud",
			  "The comparison of the records with the audit file cannot go on: %s.",
			  strerror(-error));
	else if (w.differences > 0)
		api_check(list, name, "fail", "sudo systemctl restart cfdfud",
			  "%lu records differ from the audit file (%s); the database is rebuilt at "
			  "the next start.",
			  w.differences, w.first);
	else if (json_is_string(at))
		api_check(list, name, "ok", NULL,
			  "All records were compared with the audit file at %s.",
			  json_string_value(at));
	else
		api_check(list, name, "ok", NULL,
			  "%lld of %lld records are compared with the audit file so far; "
			  "'cfdfuctl doctor --deep' waits for all.",
			  (long long)w.compared, (long long)w.total);
	json_decref(at);
}

static void
check_disk(const struct services *sv, json_t *list)
{
	unsigned long long free_bytes, floor = sv->settings->free_space_floor_bytes;
	struct statvfs fs;

	if (statvfs(sv->state_dir, &fs) < 0) {
		api_check(list, "disk", "fail", NULL, "%s", strerror(errno));
		return;
	}
	free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
	api_check(list, "disk",
		  free_bytes < floor	   ? "fail"
		  : free_bytes < 2 * floor ? "warn"
					   : "ok",
		  free_bytes < floor ? "sudo journalctl --vacuum-size=100M" : NULL,
		  "%llu MiB are free for the records; with less than %llu nothing is flashed.",
		  free_bytes >> 20, floor >> 20);
}

static void
check_clock(const struct services *sv, json_t *list)
{
	if (clock_time(sv->clock).synchronised)
		api_check(list, "clock", "ok", NULL, "The clock is synchronised.");
	else
		api_check(list, "clock", "warn", "sudo timedatectl set-ntp true",
			  "The clock is not known to be right: times in the records may be wrong, "
			  "decisions are not.");
}

static void
check_slots(const struct services *sv, json_t *list)
{
	unsigned permission = 0, busy = 0;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		struct slot_view v;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		permission += v.present && v.verdict.fault == FAULT_PERMISSION;
		busy += v.present && v.verdict.fault == FAULT_BUSY;
	}
	if (permission > 0)
		api_check(list, "nodes", "fail",
			  "sudo udevadm control --reload && sudo udevadm trigger "
			  "--subsystem-match=usb",
			  "A drone's device node may not be opened: the udev rule is missing.");
	else
		api_check(list, "nodes", "ok", NULL, "No device node was refused.");
	if (busy > 0)
		api_check(list, "interface", "fail", "sudo systemctl stop fwupd",
			  "Another program holds a drone's interface (fwupd, dfu-util?).");
}

/* Is this image, which is selected, quarantined? */
static bool
check_quarantined(const struct services *sv, json_t *list, const struct image *image)
{
	const struct image_label *label = image != NULL ? image_label(image) : NULL;
	const char *why =
	    label != NULL ? policy_quarantined(fleet_policy(sv->fleet), label->sha256) : NULL;
	char fix[128];

	if (why == NULL)
		return false;
	(void)snprintf(fix, sizeof(fix), "cfdfuctl firmware release '%s'", label->name);
	api_check(
	    list, "firmware", "warn", fix,
	    "%s is selected, and set aside: %s. Select another, or release it if the drones were "
	    "at fault.",
	    label->name, why);
	return true;
}

static void
check_brake(const struct services *sv, json_t *list)
{
	const char *message =
	    json_string_value(json_object_get(quarantine_brake(sv->quarantine), "message"));

	if (message != NULL)
		api_check(list, "brake", "fail", "cfdfuctl resume",
			  "The station has paused itself: %s.", message);
	message = batch_stopped(fleet_batch(sv->fleet));
	if (message[0] != '\0')
		api_check(list, "batch", "fail", "cfdfuctl resume", "%s", message);
}

struct bad_firmware {
	const struct services *sv;
	json_t *list;
};

static void
on_firmware(void *ctx, const struct store_firmware *f)
{
	struct bad_firmware *bad = ctx;
	char why[STORE_WHY_MAX];
	const char *fix;

	repository_row_trouble(bad->sv->repository, f, why);
	if (why[0] == '\0')
		return;
	fix = cut_fix(why);
	api_check(bad->list, "firmware-file", "fail", fix, "%s: %s.", f->name, why);
}

static void
check_repository(const struct services *sv, json_t *list)
{
	struct bad_firmware bad = { sv, list };

	/* When it cannot be read, check_records() says so. */
	(void)!store_firmware_each(sv->store, on_firmware, &bad);
}

static void
check_selection(const struct services *sv, json_t *list)
{
	bool quarantined = false;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		quarantined |=
		    check_quarantined(sv, list, policy_selected(fleet_policy(sv->fleet), p));
	if (quarantined)
		return;
	if (policy_any_lost(fleet_policy(sv->fleet)))
		api_check(list, "firmware", "fail", "cfdfuctl firmware list",
			  "Selected firmware cannot be used: its drones are left alone.");
	else if (policy_any_selected(fleet_policy(sv->fleet)))
		api_check(list, "firmware", "ok", NULL, "Firmware is selected.");
	else
		api_check(list, "firmware", "warn", "cfdfuctl firmware select NAME",
			  "No firmware is selected: drones are only looked at.");
}

/* WHY warned of: a drone that is shown nowhere looks like one that is not recognised. */
static void
check_ports(const struct services *sv, json_t *list)
{
	const struct sighting *s;
	char names[512] = "";
	unsigned n = 0;

	for (; (s = ports_foreign_drone(sv->ports, n)) != NULL; n++)
		reply_join(names, sizeof(names), s->port);
	if (n > 0)
		api_check(list, "ports", "warn", "cfdfuctl config",
			  "%u drone%s on a port this station does not use: %s.", n,
			  n == 1 ? "" : "s", names);
	else
		api_check(list, "ports", "ok", NULL, "Every drone is on a port of this station.");
}

static bool
matches_a_slot(const struct services *sv, const char *glob)
{
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		if (settings_port_matches(glob, fleet_port(sv->fleet, i), fleet_path(sv->fleet, i)))
			return true;
	return false;
}

/* WHY only patterns: a port that is named has perhaps had no drone yet. */
static void
check_patterns(const struct services *sv, json_t *list)
{
	const struct settings_ports *ports = &sv->settings->ports;
	struct fleet_counts counts;

	fleet_counts(sv->fleet, &counts);
	if (counts.present == 0 && !ports_has_foreign(sv->ports))
		return; /* nothing is plugged in that a pattern could be held against */
	for (size_t i = 0; i < ports->count; i++)
		if (strpbrk(ports->glob[i], "*?[") != NULL && !matches_a_slot(sv, ports->glob[i]))
			api_check(list, "patterns", "warn", "cfdfuctl config",
				  "%s in 'ports' matches no port that a drone was seen on.",
				  ports->glob[i]);
}

/* LIMIT: what a drone may wait for others without its flashing taking longer. */
enum { GAP_MAX_US = 50000 };

static const char *
whose_gap(enum loop_work cause)
{
	switch (cause) {
	case LOOP_CLIENT:
		return "a client's request took it";
	case LOOP_STORE:
		return "the disk took it, for the records";
	case LOOP_DEVICE:
		return "events of devices took it";
	case LOOP_IDLE:
	case LOOP_WORK_COUNT:
		break;
	}
	return "nothing was done";
}

static void
check_loop(const struct services *sv, json_t *list)
{
	const struct turns *t = sv->turns;
	bool late = t->longest_us > GAP_MAX_US;

	api_check(
	    list, "loop", late ? "warn" : "ok",
	    !late		      ? NULL
	    : t->cause == LOOP_CLIENT ? "sudo ss -xp | grep cfdfud"
				      : "sudo journalctl -k -p warning -n 50",
	    "The longest time without a look at the drones was %llu ms since the start (%s)%s.",
	    (unsigned long long)(t->longest_us + 500) / 1000, whose_gap(t->cause),
	    late ? ": flashing takes longer by as much" : "");
}

/* type Loop */
static json_t *
loop_json(const struct services *sv)
{
	return json_pack("{s:I, s:s, s:i}", "longest_gap_us", (json_int_t)sv->turns->longest_us,
			 "cause", loop_work_name(sv->turns->cause), "requests_in_a_turn",
			 (int)server_requests_max(sv->server));
}

static void
check_buses(const struct services *sv, json_t *list)
{
	struct ports_bus b;
	size_t n = 0;

	for (; ports_renumbered(sv->ports, n, &b); n++)
		api_check(
		    list, "buses", "warn", "cfdfuctl config",
		    "Bus %u is another controller than before (%s, not %s): labels, selections "
		    "and quarantines by its number may be another place's; name ports by device "
		    "path, %s-usb-0:PORT.",
		    b.number, b.controller, b.before, b.controller);
	if (n == 0)
		api_check(list, "buses", "ok", NULL,
			  "Bus numbers stand for the same controllers as before.");
}

void
api_get_health(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	char why[STORE_WHY_MAX];
	const char *health;
	json_t *list = json_array();

	(void)parameters;
	recorder_look(sv->recorder, false);
	health = status_health(sv, why);
	check_records(sv, list);
	check_walk(sv, list);
	check_disk(sv, list);
	check_clock(sv, list);
	check_slots(sv, list);
	check_ports(sv, list);
	check_patterns(sv, list);
	check_brake(sv, list);
	check_repository(sv, list);
	check_buses(sv, list);
	check_selection(sv, list);
	api_check_drones(sv, list);
	check_loop(sv, list);
	call_reply(call, json_pack("{s:s, s:o, s:o, s:o, s:o}", "health", health, "reason",
				   reply_text(why), "checks", list, "loop", loop_json(sv),
				   "records", walk_json(sv)));
}

static void
on_setting(void *ctx, const struct setting *s)
{
	json_t *list = ctx;
	bool is_default = strcmp(s->origin, "default") == 0;

	/* Bytes that are no text are shown as such; the setting is not left out for them. */
	(void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "section",
						    text_json(s->section), "key", text_json(s->key),
						    "value", text_json(s->value), "origin",
						    reply_text(is_default ? NULL : s->origin)));
}

void
api_get_config(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	json_t *list = json_array();

	(void)parameters;
	settings_each(sv->settings, on_setting, list);
	call_reply(call, json_pack("{s:o}", "settings", list));
}

/* ---- the walk through the records ------------------------------------------------------------ */

void
api_check_records(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;

	(void)parameters;
	recorder_look(sv->recorder, true);
	records_walk_now(sv->walk);
	call_reply(call, json_pack("{s:o}", "records", walk_json(sv)));
}
