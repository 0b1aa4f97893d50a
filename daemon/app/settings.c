/* SPDX-License-Identifier: MIT */
/* The tables of keys, and the parsers of their values. */
#include "config.h"

#include "app/settings.h"

#include "app/settings_set.h"
#include "core/batch.h"
#include "core/brake.h"
#include "core/fleet.h"
#include "core/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#define DEVICE_PREFIX "device "

static const char *const adopt_words[] = { "never", "known", "recognised", "port", NULL };
static const char *const pacing_words[] = { "expect", "obey", NULL };
static const char *const parallelism_words[] = { "byte", "word", NULL };
static const char *const leave_words[] = { "application", "loader", NULL };
static const char *const skip_words[] = { "readback", "version", "never", NULL };
static const char *const stagger_words[] = { "controller", "hub", NULL };
static const char *const learned_words[] = { "learned", NULL };
static const char *const power_cycle_words[] = { "never", "auto", NULL };
static const char *const order_words[] = { "rows", "columns", NULL };
static const char *const decks_words[] = { "no", "report", "yes", NULL };
static const char *const bool_words[] = { "no", "yes", NULL };
/* By syslog priority, from LOG_ERR - LEVEL_FIRST on. */
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };
#define LEVEL_FIRST LOG_ERR

enum value_kind {
	VALUE_WORD,
	VALUE_BOOL,
	VALUE_LEVEL,
	VALUE_COUNT,
	VALUE_SPAN,
	VALUE_SPAN_LONG,
	VALUE_MILLIS,
	VALUE_MILLIVOLTS,
	VALUE_SIZE,
	VALUE_NAME,
	VALUE_FOLDER,
	VALUE_PORTS
};

struct key {
	const char *section, *name;
	enum value_kind kind;
	size_t at; /* offset of the member */
	const char *const *words;
	uint64_t min, max;    /* spans in milliseconds */
	const char *fallback; /* the default as one would write it */
};

#define MINUTE_MS 60000U
#define DAY_MS 86400000U
#define AT(member) offsetof(struct settings, member)

static const struct key keys[] = {
	{ "station", "ports", VALUE_PORTS, AT(ports), NULL, 0, 0, "" },
	{ "station", "adopt", VALUE_WORD, AT(adopt), adopt_words, 0, 0, "recognised" },
	{ "station", "quarantine", VALUE_COUNT, AT(quarantine), NULL, 0, 1000, "3" },
	{ "station", "brake", VALUE_COUNT, AT(brake), NULL, 0, BRAKE_DRONES_MAX, "3" },
	{ "station", "idle-exit", VALUE_SPAN, AT(idle_exit_ms), NULL, 0, 30U * DAY_MS, "0" },
	{ "station", "max-active", VALUE_COUNT, AT(max_active), NULL, 1, FLEET_SLOTS_MAX, "120" },
	{ "station", "switch-limit", VALUE_COUNT, AT(switch_limit), NULL, 0, FLEET_SLOTS_MAX,
	  "16" },
	{ "station", "switch-stagger", VALUE_SPAN, AT(switch_stagger_ms), NULL, 0, 10000, "10ms" },
	{ "station", "switch-stagger-of", VALUE_WORD, AT(switch_stagger_of), stagger_words, 0, 0,
	  "controller" },
	{ "station", "writers-per-translator", VALUE_COUNT, AT(writers_per_translator),
	  learned_words, 0, FLEET_SLOTS_MAX, "learned" },
	{ "station", "runtime-per-controller", VALUE_COUNT, AT(runtime_per_controller), NULL, 0,
	  FLEET_SLOTS_MAX, "16" },
	{ "station", "boot-timeout", VALUE_SPAN, AT(boot_timeout_ms), NULL, 500, 10 * MINUTE_MS,
	  "10s" },
	{ "station", "dfu-timeout", VALUE_SPAN, AT(dfu_timeout_ms), NULL, 500, 10 * MINUTE_MS,
	  "10s" },
	{ "station", "attempt-deadline", VALUE_SPAN, AT(attempt_deadline_ms), NULL, 10000, DAY_MS,
	  "180s" },
	{ "station", "free-space-floor", VALUE_SIZE, AT(free_space_floor_bytes), NULL, 0,
	  UINT64_C(1) << 50, "64M" },
	{ "station", "group", VALUE_NAME, AT(group), NULL, 0, 0, "cfdfu" },
	{ "station", "log-level", VALUE_LEVEL, AT(log_level), level_words, 0, 0, "info" },
	{ "station", "low-battery", VALUE_MILLIVOLTS, AT(low_battery_mv), NULL, 0, 4200, "3500" },
	{ "flash", "pacing", VALUE_WORD, AT(pacing), pacing_words, 0, 0, "expect" },
	{ "flash", "parallelism", VALUE_WORD, AT(parallelism), parallelism_words, 0, 0, "byte" },
	{ "flash", "leave", VALUE_WORD, AT(leave), leave_words, 0, 0, "application" },
	{ "flash", "skip", VALUE_WORD, AT(skip), skip_words, 0, 0, "readback" },
	{ "flash", "light", VALUE_BOOL, AT(light), bool_words, 0, 0, "yes" },
	{ "flash", "backup", VALUE_BOOL, AT(backup), bool_words, 0, 0, "no" },
	{ "flash", "backup-keep", VALUE_COUNT, AT(backup_keep), NULL, 0, 1000, "3" },
	{ "flash", "backup-age", VALUE_SPAN_LONG, AT(backup_age_ms), NULL, 0,
	  UINT64_C(36500) * DAY_MS, "0" },
	{ "flash", "power-cycle", VALUE_WORD, AT(power_cycle), power_cycle_words, 0, 0, "auto" },
	{ "flash", "link-patience", VALUE_MILLIS, AT(link_patience_ms), NULL, 0, 5000, "30" },
	{ "firmware", "trusted", VALUE_FOLDER, AT(trusted), NULL, 0, 0, "/etc/cfdfud/trusted.d" },
	{ "firmware", "require-signature", VALUE_BOOL, AT(require_signature), bool_words, 0, 0,
	  "no" },
	{ "rack", "rows", VALUE_COUNT, AT(rack_rows), NULL, 0, SETTINGS_ROWS_MAX, "0" },
	{ "rack", "columns", VALUE_COUNT, AT(rack_columns), NULL, 0, SETTINGS_COLUMNS_MAX, "0" },
	{ "rack", "order", VALUE_WORD, AT(rack_order), order_words, 0, 0, "rows" },
	{ "batch", "stop-after", VALUE_COUNT, AT(batch_stop_after), NULL, 0, BATCH_DRONES_MAX,
	  "0" },
	{ "batch", "canary", VALUE_COUNT, AT(batch_canary), NULL, 0, BATCH_CANARY_MAX, "0" },
	{ "decks", "update", VALUE_WORD, AT(decks), decks_words, 0, 0, "report" },
};

static int
parse_word(const char *value, const char *const *words, unsigned *ret_index, char *why)
{
	char list[128] = "";
	size_t used = 0;

	for (unsigned i = 0; words[i] != NULL; i++) {
		if (strcmp(value, words[i]) == 0) {
			*ret_index = i;
			return 0;
		}
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i > 0 ? ", " : "", words[i]);
	}
	return settings_refuse(why, "\"%.60s\" is none of: %s", value, list);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit span_units[] = {
	{ "", 1000 },	    { "s", 1000 },	     { "ms", 1 },     { "min", MINUTE_MS },
	{ "m", MINUTE_MS }, { "h", 60 * MINUTE_MS }, { "d", DAY_MS }, { NULL, 0 },
};
static const struct unit size_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 },
};
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit millis_units[] = { { "", 1 }, { "ms", 1 }, { "s", 1000 }, { NULL, 0 } };
static const struct unit voltage_units[] = { { "", 1 }, { "mV", 1 }, { NULL, 0 } };

/* A number with one of the units, within the key's bounds. */
static int
parse_amount(const struct key *k, const struct unit *units, const char *value, uint64_t *ret,
	     char *why)
{
	unsigned long long n;
	char *unit;

	if (!isdigit((unsigned char)value[0]))
		return settings_refuse(why, "\"%.60s\" is not a number", value);
	errno = 0;
	n = strtoull(value, &unit, 10);
	if (errno != 0)
		return settings_refuse(why, "\"%.60s\" is too large", value);
	unit += strspn(unit, " \t");
	while (units->name != NULL && strcmp(units->name, unit) != 0)
		units++;
	if (units->name == NULL)
		return settings_refuse(why, "\"%.60s\" has an unknown unit", value);
	if (n > UINT64_MAX / units->factor || n * units->factor > k->max)
		return settings_refuse(why, "\"%.60s\" is too large", value);
	if (n * units->factor < k->min)
		return settings_refuse(why, "\"%.60s\" is too small", value);
	*ret = n * units->factor;
	return 0;
}

/* The next word of a list separated by blanks and commas; NULL at its end.  Longer words are
 * refused by their user. */
static const char *
next_word(const char **list, char *word, size_t size)
{
	const char *from = *list + strspn(*list, " \t,");
	size_t length = strcspn(from, " \t,");

	if (length == 0)
		return NULL;
	copy_text(word, length < size ? length + 1 : size, from);
	*list = from + length;
	return word;
}

static int
parse_ports(const char *value, struct settings_ports *ports, char *why)
{
	char word[PATH_TEXT_MAX + 1], glob[PATH_TEXT_MAX];

	if (value[0] == '\0')
		ports->count = 0;
	while (next_word(&value, word, sizeof(word)) != NULL) {
		int r = settings_parse_port(word, glob, why);

		if (r < 0)
			return r;
		if (ports->count == SETTINGS_GLOBS_MAX)
			return settings_refuse(why, "more than %d ports in one list",
					       SETTINGS_GLOBS_MAX);
		copy_text(ports->glob[ports->count++], PATH_TEXT_MAX, glob);
	}
	return 0;
}

static int
parse_text(const char *value, char *dst, size_t size, char *why)
{
	if (strlen(value) >= size)
		return settings_refuse(why, "longer than %zu characters", size - 1);
	copy_text(dst, size, value);
	return 0;
}

/* A number of 32 or 64 bits, in the units of its kind. */
static int
set_amount(struct settings *c, const struct key *k, const char *value, char *why)
{
	const struct unit *units = k->kind == VALUE_COUNT	 ? plain_units
				   : k->kind == VALUE_SIZE	 ? size_units
				   : k->kind == VALUE_MILLIS	 ? millis_units
				   : k->kind == VALUE_MILLIVOLTS ? voltage_units
								 : span_units;
	uint64_t wide = 0;
	uint32_t narrow;
	int r = 0;

	if (k->words != NULL && strcmp(value, k->words[0]) == 0)
		wide = SETTINGS_LEARNED;
	else
		r = parse_amount(k, units, value, &wide, why);
	if (r < 0)
		return r;
	narrow = (uint32_t)wide;
	if (k->kind == VALUE_SIZE || k->kind == VALUE_SPAN_LONG)
		memcpy((char *)c + k->at, &wide, sizeof(wide));
	else
		memcpy((char *)c + k->at, &narrow, sizeof(narrow));
	return 0;
}

static int
set_word(struct settings *c, const struct key *k, const char *value, char *why)
{
	unsigned index = 0;
	bool truth;
	int r = parse_word(value, k->words, &index, why);

	if (r < 0)
		return r;
	truth = index != 0;
	if (k->kind == VALUE_LEVEL)
		index += LEVEL_FIRST;
	if (k->kind == VALUE_BOOL)
		memcpy((char *)c + k->at, &truth, sizeof(truth));
	else
		memcpy((char *)c + k->at, &index, sizeof(index));
	return 0;
}

static int
set_key(struct settings *c, const struct key *k, const char *value, char *why)
{
	char *member = (char *)c + k->at;

	switch (k->kind) {
	case VALUE_WORD:
	case VALUE_BOOL:
	case VALUE_LEVEL:
		return set_word(c, k, value, why);
	case VALUE_COUNT:
	case VALUE_SPAN:
	case VALUE_SPAN_LONG:
	case VALUE_MILLIS:
	case VALUE_MILLIVOLTS:
	case VALUE_SIZE:
		return set_amount(c, k, value, why);
	case VALUE_NAME:
		if (value[0] == '\0')
			return settings_refuse(why, "a name is needed");
		return parse_text(value, member, SETTINGS_NAME_MAX, why);
	case VALUE_FOLDER:
		if (value[0] != '/')
			return settings_refuse(why, "an absolute path is needed");
		return parse_text(value, member, SETTINGS_FOLDER_MAX, why);
	case VALUE_PORTS:
		return parse_ports(value, (struct settings_ports *)(void *)member, why);
	}
	return settings_refuse(why, "not understood"); /* not reached: every kind returns */
}

static bool
is_device(const char *section)
{
	return strncmp(section, DEVICE_PREFIX, strlen(DEVICE_PREFIX)) == 0;
}

static const struct key *
find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static int
set_label(struct settings *c, const char *text, const char *label, char *why)
{
	char glob[PATH_TEXT_MAX];
	size_t at = 0;
	int r = settings_parse_port(text, glob, why);

	if (r < 0)
		return r;
	while (at < c->label_count && strcmp(c->labels[at].glob, glob) != 0)
		at++;
	if (at < c->label_count) { /* WHY: the later line counts, also in order */
		memmove(&c->labels[at], &c->labels[at + 1],
			(c->label_count - at - 1) * sizeof(c->labels[0]));
		c->label_count--;
	}
	if (label[0] == '\0')
		return 0;
	if (c->label_count == SETTINGS_LABELS_MAX)
		return settings_refuse(why, "more than %d labels", SETTINGS_LABELS_MAX);
	r = parse_text(label, c->labels[c->label_count].label, SETTINGS_LABEL_TEXT_MAX, why);
	if (r < 0)
		return r;
	copy_text(c->labels[c->label_count++].glob, PATH_TEXT_MAX, glob);
	return 0;
}

static int
set_rule(struct settings *c, const char *text, const char *value, char *why)
{
	enum platform platform = platform_by_name(value);
	size_t at = 0, length = strlen(text);
	bool path = strstr(text, "-usb") != NULL;
	char target[PATH_TEXT_MAX];

	if (length == 0 || length >= (path ? PATH_TEXT_MAX : SERIAL_TEXT_MAX))
		return settings_refuse(why, "a port or serial is 1 to %d characters long",
				       SERIAL_TEXT_MAX - 1);
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr(path ? "-.:_@," : "-.", text[i]) == NULL)
			return settings_refuse(why, "\"%s\" is neither a port path nor a serial",
					       text);
	copy_text(target, sizeof(target), text);
	settings_drop_usb_revision(target);
	if (platform == PLATFORM_UNKNOWN)
		return settings_refuse(why, "\"%.60s\" is not a platform", value);
	while (at < c->rule_count && strcmp(c->rules[at].target, target) != 0)
		at++;
	if (at == SETTINGS_RULES_MAX)
		return settings_refuse(why, "more than %d platform rules", SETTINGS_RULES_MAX);
	if (at == c->rule_count)
		copy_text(c->rules[c->rule_count++].target, PATH_TEXT_MAX, target);
	c->rules[at].platform = platform;
	return 0;
}

static int
find_or_add_device(struct settings *c, const char *name, struct settings_device **ret, char *why)
{
	struct settings_device *d;

	for (d = c->devices; d < c->devices + c->device_count; d++)
		if (strcmp(d->device.name, name) == 0) {
			*ret = d;
			return 0;
		}
	if (c->device_count == SETTINGS_DEVICES_MAX)
		return settings_refuse(why, "more than %d devices", SETTINGS_DEVICES_MAX);
	if (device_init(&d->device, name, why) < 0)
		return -EINVAL;
	c->device_count++;
	*ret = d;
	return 0;
}

/* Its key is unknown: -ENOENT. */
static int
set_device(struct settings *c, const char *name, const char *key, const char *value, char *why)
{
	struct settings_device *d = NULL;
	int r = find_or_add_device(c, name, &d, why);

	if (r < 0)
		return r;
	return strcmp(key, "ports") == 0 ? parse_ports(value, &d->ports, why)
					 : device_set(&d->device, key, value, why);
}

/* Events that a hook is limited to; the clients ask for them (client/hook.h). */
static int
check_events(const char *value, char *why)
{
	static const char all[] = " plugged started ended ready gone paused resumed batch idle ";
	char word[32];
	size_t n;

	for (const char *v = value + strspn(value, " "); *v != '\0'; v += n + strspn(v + n, " ")) {
		n = strcspn(v, " ");
		(void)snprintf(word, sizeof(word), " %.*s ", (int)n, v);
		if (strstr(all, word) == NULL)
			return settings_refuse(why, "\"%.*s\" is no event; there are%s", (int)n, v,
					       all);
	}
	return 0;
}

int
settings_set(struct settings *c, const char *section, const char *key, const char *value,
	     char ret_why[SETTINGS_WHY_MAX])
{
	const struct key *k = find_key(section, key);
	int r = -ENOENT;

	if (strcmp(section, "slots") == 0)
		return set_label(c, key, value, ret_why);
	if (strcmp(section, "platforms") == 0)
		return set_rule(c, key, value, ret_why);
	if (strcmp(section, "drones") == 0)
		return settings_set_drone(c, key, value, ret_why);
	if (strcmp(section, "hooks") == 0)
		return check_events(value, ret_why);
	if (strcmp(section, "stations") == 0)
		return 0; /* groups of the clients: client/hosts.h */
	if (!settings_section_exists(section))
		return settings_refuse(ret_why,
				       section[0] == '\0' ? "no [section] before this line"
							  : "there is no section [%s]",
				       section);
	if (is_device(section))
		r = set_device(c, section + strlen(DEVICE_PREFIX), key, value, ret_why);
	else if (k != NULL)
		r = set_key(c, k, value, ret_why);
	if (r == -ENOENT)
		r = settings_refuse(ret_why, "there is no key \"%.60s\" in [%s]", key, section);
	return r;
}

bool
settings_key_is_list(const char *section, const char *key)
{
	const struct key *k = find_key(section, key);

	if (is_device(section))
		return strcmp(key, "ports") == 0 || strcmp(key, "protected") == 0;
	return strcmp(section, "stations") == 0 || (k != NULL && k->kind == VALUE_PORTS);
}

bool
settings_section_exists(const char *section)
{
	static const char *const names[] = { "station", "flash", "firmware", "rack",
					     "batch",	"decks", "slots",    "platforms",
					     "drones",	"hooks", "stations" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(section, names[i]) == 0)
			return true;
	return is_device(section);
}

bool
settings_default(size_t n, const char **ret_section, const char **ret_key, const char **ret_value)
{
	if (n >= ARRAY_LEN(keys))
		return false;
	*ret_section = keys[n].section;
	*ret_key = keys[n].name;
	*ret_value = keys[n].fallback;
	return true;
}

int
settings_check(const struct settings *c, char ret_section[SETTINGS_WHY_MAX],
	       char ret_why[SETTINGS_WHY_MAX])
{
	if (settings_check_drones(c, ret_why) < 0) {
		copy_text(ret_section, SETTINGS_WHY_MAX, "drones");
		return -EINVAL;
	}
	for (size_t i = 0; i < c->device_count; i++) {
		int r = device_check(&c->devices[i].device, ret_why);

		if (r < 0) {
			(void)snprintf(ret_section, SETTINGS_WHY_MAX, DEVICE_PREFIX "%s",
				       c->devices[i].device.name);
			return r;
		}
	}
	return 0;
}
