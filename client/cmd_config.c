/* SPDX-License-Identifier: MIT */
/* cfdfuctl config: the settings in force, and where each comes from. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"

static int
print_settings(const struct session *s, const json_t *reply)
{
	const json_t *settings = json_object_get(reply, "settings"), *one;
	char section[OUT_TEXT_MAX] = "";
	size_t i;

	(void)s;
	json_array_foreach(settings, i, one) {
		struct text sec = out_text(one, "section"), key = out_text(one, "key");
		struct text value = out_text(one, "value"), origin = out_text(one, "origin");

		if (strcmp(sec.s, section) != 0)
			printf("%s[%s]\n", section[0] != '\0' ? "\n" : "", sec.s);
		copy_text(section, sizeof(section), sec.s);
		printf("%s = %s%s%s\n", key.s, value.s, origin.s[0] != '\0' ? "  ; " : "",
		       origin.s);
	}
	return EXIT_OK;
}

static int
run(const struct session *s, const struct invocation *i)
{
	(void)i;
	return conn_show(s, PROTO_METHOD("GetConfig"), NULL, print_settings);
}

const struct command_desc cmd_config = {
	.name = "config",
	.args = "",
	.help = N_("the settings in force, and where each comes from"),
	.run = run,
};
