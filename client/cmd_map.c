/* SPDX-License-Identifier: MIT */
/* cfdfuctl map: the rack as it stands, then what hands have to do. */
#include "config.h"

#include <stdio.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/rack_map.h"

#define COLUMNS 80 /* where standard output is no terminal */
#define LINES_BYTES 16384

static int
print_map(const struct session *s, const json_t *reply)
{
	const json_t *station = json_object_get(reply, "station");
	json_t *slots = slots_sort(json_object_get(reply, "slots"));
	size_t columns = out_columns() > 0 ? out_columns() : COLUMNS;
	char text[LINES_BYTES];
	struct rack_map m;

	if (rack_map_lay(station, slots, columns, &m)) {
		for (size_t row = 0; row < m.rows; row++) {
			rack_map_row(&m, row, out_has_colour(s), text);
			puts(text);
		}
		if (!m.words)
			puts(rack_map_signs);
		rack_map_done(&m);
	} else {
		puts("The rack is wider than this terminal.");
	}
	if (slots_put_bad_first(slots) < 0)
		return say_no_memory();
	overview_todo(slots, text, sizeof(text));
	if (text[0] != '\0')
		printf("\n%s\n", text);
	overview_sum(slots, text, sizeof(text));
	printf("\n%s\n", text);
	json_decref(slots);
	return EXIT_OK;
}

const struct command_desc cmd_map = {
	.name = "map",
	.args = "",
	.help = N_("the rack as it stands, and what to do"),
	.run = conn_run,
	.method = PROTO_METHOD("GetStatus"),
	.print = print_map,
};
