/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/rack.h"

#include <ctype.h>
#include <stdlib.h>

#include "app/ports.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/fleet.h"

static unsigned
larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* {0, 0}: the label is not of that form. */
static struct rack_place
by_label(const char *label)
{
	struct rack_place none = { 0, 0 };
	unsigned long column;
	char *end;

	if (label == NULL || !isalpha((unsigned char)label[0]) || !isdigit((unsigned char)label[1]))
		return none;
	column = strtoul(label + 1, &end, 10);
	if (*end != '\0' || column == 0 || column > SETTINGS_COLUMNS_MAX)
		return none;
	return (struct rack_place){ (unsigned)(toupper((unsigned char)label[0]) - 'A' + 1),
				    (unsigned)column };
}

/* The last row and column that labels tell; {0, 0}: none does. */
static struct rack_place
labelled(const struct settings *s)
{
	struct rack_place last = { 0, 0 };

	for (size_t i = 0; i < s->label_count; i++) {
		struct rack_place p = by_label(s->labels[i].label);

		last.row = larger(last.row, p.row);
		last.column = larger(last.column, p.column);
	}
	return last;
}

static bool
is_in_order(const struct settings *s)
{
	return labelled(s).row == 0 && s->rack_rows > 0 && s->rack_columns > 0;
}

static struct rack_place
by_order(const struct services *sv, unsigned slot)
{
	const struct settings *s = sv->settings;
	const char *port = fleet_port(sv->fleet, slot);
	bool rows = s->rack_order == ORDER_ROWS;
	unsigned before = 0, line = rows ? s->rack_columns : s->rack_rows;

	/* WHY strverscmp: "1-10" comes after "1-9". */
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		before +=
		    fleet_is_used(sv->fleet, i) && strverscmp(fleet_port(sv->fleet, i), port) < 0;
	if (before >= s->rack_rows * s->rack_columns)
		return (struct rack_place){ 0, 0 };
	return rows ? (struct rack_place){ before / line + 1, before % line + 1 }
		    : (struct rack_place){ before % line + 1, before / line + 1 };
}

struct rack_place
rack_place(const struct services *sv, unsigned slot)
{
	if (is_in_order(sv->settings))
		return by_order(sv, slot);
	return by_label(ports_label(sv->ports, fleet_port(sv->fleet, slot)));
}

json_t *
rack_size(const struct services *sv)
{
	struct rack_place last = labelled(sv->settings);
	unsigned rows = larger(last.row, sv->settings->rack_rows);
	unsigned columns = larger(last.column, sv->settings->rack_columns);

	if (last.row == 0 && !is_in_order(sv->settings))
		return json_null();
	return json_pack("{s:i, s:i}", "rows", (int)rows, "columns", (int)columns);
}

unsigned
rack_revision(const struct services *sv)
{
	unsigned used = 0;

	if (!is_in_order(sv->settings))
		return 0;
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		used += fleet_is_used(sv->fleet, i);
	return used;
}
