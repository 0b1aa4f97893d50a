/* SPDX-License-Identifier: MIT */
/* Which firmware goes on which drones, over the control socket. */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "app/app_parts.h"
#include "app/library.h"
#include "cfdfu/proto.h"
#include "core/platform.h"

enum { UID_DIGITS = 24, DFU_DIGITS = 12, SERIAL_DIGITS_MIN = 8 };

static const char *
text_of(json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

/* ---- selecting ------------------------------------------------------------------------------ */

/* A port, or a serial, of what may be plugged in one day. */
static bool
may_come(const char *target)
{
	bool bus = target[0] >= '0' && target[0] <= '9' && strchr(target, '-') != NULL;

	if (bus && strspn(target, "0123456789-.") == strlen(target))
		return strlen(target) < PORT_TEXT_MAX;
	return strlen(target) >= SERIAL_DIGITS_MIN && strlen(target) < SERIAL_TEXT_MAX &&
	       strpbrk(target, " \t/") == NULL && strpbrk(target, "0123456789") != NULL;
}

static bool
is_label(const struct config *c, const char *target)
{
	for (size_t i = 0; i < c->label_count; i++)
		if (strcmp(c->labels[i].label, target) == 0)
			return true;
	return false;
}

/*
 * WHY: what is said of a slot that does not exist would be kept, and do nothing.  True when it was
 * refused.
 */
static bool
refuse_target(struct app *a, struct call *call, const char *target)
{
	struct target t;

	find_target(a, target, true, &t);
	if (t.by == TARGET_AMBIGUOUS) {
		find_refuse(call, &t);
		return true;
	}
	if (t.by != TARGET_NOTHING)
		return false;
	if (is_label(a->config, target) || may_come(target))
		return false;
	call_error(call, PROTO_ERROR("NoSuchSlot"), json_pack("{s:s}", "target", target));
	return true;
}

/* A label stays as it is and stands for all its slots; a Crazyflie's serial is kept in capitals. */
static const char *
target_key(struct app *a, const char *target, char buffer[SERIAL_TEXT_MAX])
{
	size_t digits = strspn(target, "0123456789abcdefABCDEF");

	copy_text(buffer, SERIAL_TEXT_MAX, target);
	if ((digits == UID_DIGITS || digits == DFU_DIGITS) && target[digits] == '\0' &&
	    !is_label(a->config, target))
		for (char *c = buffer; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
	return buffer;
}

/* Remembered first, then in force: after a restart the same holds. */
static int
set_selected(struct app *a, enum platform p, struct image *image, const char *name)
{
	struct store_time now = app_time(a);
	int r = store_set(a->store, STORE_SELECTED, platform_name(p), name, &now);

	if (r == 0)
		policy_select(fleet_policy(a->fleet), p, image);
	return r;
}

static int
set_own(struct app *a, const char *target, struct image *image, const char *name)
{
	struct store_time now = app_time(a);
	char key[SERIAL_TEXT_MAX];
	int r = store_set(a->store, STORE_OWN, target_key(a, target, key), name, &now);

	return r < 0 ? r : policy_select_own(fleet_policy(a->fleet), key, image);
}

/* What the configuration says of a target is in force where the operator says nothing. */
static enum platform
configured_platform(const struct config *c, const char *key)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (strcasecmp(c->rules[i].target, key) == 0)
			return c->rules[i].platform;
	return PLATFORM_UNKNOWN;
}

static int
set_rule(struct app *a, const char *target, enum platform p)
{
	struct store_time now = app_time(a);
	char key[SERIAL_TEXT_MAX];
	int r = store_set(a->store, STORE_PLATFORM, target_key(a, target, key),
			  p != PLATFORM_UNKNOWN ? platform_name(p) : NULL, &now);

	if (p == PLATFORM_UNKNOWN)
		p = configured_platform(a->config, key);
	return r < 0 ? r : policy_set_platform(fleet_policy(a->fleet), key, p);
}

static json_t *
selected_json(struct app *a)
{
	json_t *station = status_station(a);
	json_t *selected = json_incref(json_object_get(station, "selected"));

	json_decref(station);
	return selected;
}

/* For all platforms that the image is for, or the one that was named. */
static int
select_platforms(struct app *a, struct image *image, const char *name, enum platform named)
{
	unsigned platforms = image_label(image)->platforms;
	int r = -EINVAL;

	if (named != PLATFORM_UNKNOWN && platforms != 0 && (platforms & BIT(named)) == 0)
		return -EPERM;
	if (named != PLATFORM_UNKNOWN)
		platforms = BIT(named);
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		if ((platforms & BIT(p)) == 0)
			continue;
		r = set_selected(a, p, image, name);
		if (r < 0)
			break;
	}
	return r;
}

static void
answer_selected(struct app *a, struct call *call, const char *name, int r)
{
	if (r == -EINVAL)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Nothing says which platform %s is for: name one with --platform.",
			    name);
	else if (r == -EPERM)
		call_refuse(call, PROTO_ERROR("Refused"), "%s is not for that platform.", name);
	else if (r < 0)
		call_refuse(call, methods_store_error(r), "The selection cannot be kept: %s.",
			    strerror(-r));
	else
		call_reply(call, json_pack("{s:o, s:o}", "firmware", methods_firmware_row(a, name),
					   "selected", selected_json(a)));
}

void
methods_select_firmware(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	const char *name = text_of(parameters, "name"), *target = text_of(parameters, "target");
	char why[STORE_WHY_MAX];
	struct image *image = NULL;
	enum platform named;
	int r;

	if (!methods_platform(call, parameters, "platform", &named))
		return;
	if (target != NULL && refuse_target(a, call, target))
		return;
	r = library_image(a, name, &image, why);
	if (r == -ENOENT) {
		methods_no_firmware(call, name);
		return;
	}
	if (r < 0) {
		call_refuse(call, PROTO_ERROR("Refused"), "%s: %s.", name, why);
		return;
	}
	if (target != NULL)
		r = set_own(a, target, image, name);
	else
		r = select_platforms(a, image, name, named);
	image_unref(image);
	if (r == 0)
		(void)records_commit(a);
	answer_selected(a, call, name, r);
	if (r == 0)
		fleet_selection_changed(a->fleet, app_now_us());
	pump(a);
}

static int
deselect(struct app *a, const char *target, enum platform named)
{
	int r = 0;

	if (target != NULL)
		return set_own(a, target, NULL, NULL);
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if (named == PLATFORM_UNKNOWN || named == p)
			r = set_selected(a, p, NULL, NULL);
	return r;
}

void
methods_deselect_firmware(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	enum platform named;
	int r;

	if (!methods_platform(call, parameters, "platform", &named))
		return;
	r = deselect(a, text_of(parameters, "target"), named);
	(void)records_commit(a);
	if (r < 0)
		call_refuse(call, methods_store_error(r), "The selection cannot be changed: %s.",
			    strerror(-r));
	else
		call_reply(call, json_pack("{s:o}", "selected", selected_json(a)));
	fleet_selection_changed(a->fleet, app_now_us());
	pump(a);
}

void
methods_set_platform_rule(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	enum platform p;
	json_t *station;
	int r;

	if (!methods_platform(call, parameters, "platform", &p))
		return;
	if (p != PLATFORM_UNKNOWN && refuse_target(a, call, text_of(parameters, "target")))
		return;
	r = set_rule(a, text_of(parameters, "target"), p);
	(void)records_commit(a);
	if (r < 0) {
		call_refuse(call, methods_store_error(r), "The rule cannot be kept: %s.",
			    strerror(-r));
	} else {
		station = status_station(a);
		call_reply(call, json_pack("{s:O}", "rules", json_object_get(station, "rules")));
		json_decref(station);
		fleet_selection_changed(a->fleet, app_now_us());
	}
	pump(a);
}
