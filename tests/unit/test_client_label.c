/* SPDX-License-Identifier: MIT */
/* cfdfuctl label and __complete: texts for printers and shells. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "client_run.h"

static struct run r;

#define DRONE(name)                                                                                \
	"{\"parameters\":{\"drone\":{\"serial\":\"51AA34\",\"name\":\"" name "\",\"radio\":"       \
	"{\"channel\":80,\"rate\":\"2M\",\"address\":\"E7E7E7E701\"},\"last_version\":"            \
	"\"2025.12\"},\"attempts\":[{\"port\":\"1-4\",\"label\":\"A3\",\"batch\":\"spring\","      \
	"\"ended_at\":\"2026-01-31T12:00:00.000Z\"}]}}"

static void
label(const char *words, const char *drone, int status, const char *out)
{
	const char *replies[] = { drone, drone, NULL };

	client_run(&r, words, replies, "");
	if (r.status != status || strstr(r.out, out) == NULL)
		fail_msg("%s: %d\n%s\n%s", words, r.status, r.out, r.err);
}

TEST(a_label_has_what_is_known_of_the_drone)
{
	label("label A3", DRONE("Ada"), EXIT_OK, "^FH^FDAda^FS");
	assert_non_null(strstr(r.requests, "GetDrone\",\"parameters\":{\"serial\":\"A3\"}"));
	assert_non_null(strstr(r.out, "^FDE7E7E7E701 80^FS"));
	assert_non_null(strstr(r.out, "^FD2025.12 2026-01-31^FS"));
	assert_non_null(strstr(r.out, "^FH^FDMA,51AA34^FS\n^XZ\n"));
	label("label A3 --format qr", DRONE("Ada"), EXIT_OK, "51AA34\n");
	assert_string_equal(r.out, "51AA34\n");
	label("label A3 Ada --format qr", DRONE("Ada"), EXIT_OK, "51AA34\n51AA34\n");
	label("--json label A3 -f qr", DRONE("Ada"), EXIT_OK, "\"text\":\"51AA34\\n\"}");
	label("label A3", "{\"parameters\":{\"drone\":{\"dfu_serial\":\"2075\"},\"attempts\":[]}}",
	      EXIT_OK, "^FDMA,2075^FS");
}

TEST(a_drones_name_is_no_command_to_the_printer)
{
	label("label A3", DRONE("^XA~JR_\\\\x"), EXIT_OK, "^FH^FD_5EXA_7EJR_5F_5Cx^FS");
}

TEST(a_template_is_the_users_own)
{
	static const char text[] = "{label} {port} {batch} { x } {Name} {name}|";
	static const char bad[] = "{name} {nmae}";
	char words[256];

	(void)snprintf(words, sizeof(words), "label A3 --format qr --template %s",
		       client_file("label.txt", text, strlen(text)));
	label(words, DRONE("Ada"), EXIT_OK, "A3 1-4 spring { x } {Name} Ada|");
	(void)client_file("label.txt", bad, strlen(bad));
	label(words, DRONE("Ada"), EXIT_USAGE, "");
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "the template has {nmae}; there are {name}"));
	label("label A3 --template /not/there", DRONE("Ada"), EXIT_REFUSED, "");
	label("label A3 --format pdf", DRONE("Ada"), EXIT_USAGE, "");
}

/* ---- completion ----------------------------------------------------------------------------- */

#define STATUS                                                                                     \
	"{\"parameters\":{\"slots\":[{\"port\":\"1-4\",\"label\":\"A3\",\"name\":\"Ada B\","       \
	"\"serial\":\"51AA34\",\"class\":\"fail\"},{\"port\":\"1-5\",\"label\":\"A4\"}]}}"
#define KNOWN                                                                                      \
	"{\"parameters\":{\"drones\":[{\"name\":\"Bea\",\"serial\":\"51BB\"}],\"more\":false}}"
#define FIRMWARE "{\"parameters\":{\"firmware\":[{\"name\":\"cf2-2025.12\"}]}}"

/* Each word ends in a newline, or a tab with its explanation. */
static void
complete(const char *const *words, const char *const *replies, const char *const *wanted)
{
	static char program[256], socket_option[256];
	char *args[16] = { program };
	size_t n = 1;
	char all[256] = "";

	(void)snprintf(program, sizeof(program), "%s", client_program());
	args[n++] = (char[]){ "__complete" };
	if (replies != NULL) {
		args[n++] = (char[]){ "--socket" };
		(void)snprintf(socket_option, sizeof(socket_option), "%s", client_socket());
		args[n++] = socket_option;
	}
	for (; *words != NULL; words++)
		args[n++] = (char *)*words;
	args[n] = NULL;
	client_run_args(&r, args, replies, "");
	assert_int_equal(r.status, EXIT_OK);
	assert_string_equal(r.err, "");
	for (; *wanted != NULL; wanted++) {
		(void)snprintf(all, sizeof(all), "\n%s", *wanted);
		if (strncmp(r.out, *wanted, strlen(*wanted)) != 0 && strstr(r.out, all) == NULL)
			fail_msg("%s is not offered: %s", *wanted, r.out);
	}
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(commands_and_options_are_completed_from_the_table)
{
	complete(WORDS("st"), NULL, WORDS("status\t"));
	assert_null(strstr(r.out, "watch"));
	complete(WORDS("fi"), NULL, WORDS("firmware\n"));
	complete(WORDS("firmware", ""), NULL, WORDS("add\t", "select\t"));
	assert_null(strstr(r.out, "status"));
	complete(WORDS("--json", "firmware", "sel"), NULL, WORDS("select\t"));
	complete(WORDS("status", "--"), NULL, WORDS("--failed\t", "--json\t"));
	assert_null(strstr(r.out, "stdio"));
	complete(WORDS("history", "--verdict", "pa"), NULL, WORDS("pass\n"));
	complete(WORDS("history", "-v", "pa"), NULL, WORDS("pass\n"));
	complete(WORDS("label", "A3", "-f", ""), NULL, WORDS("zpl\n", "qr\n"));
	complete(WORDS("platform", "set", "1-4", ""), NULL, WORDS("cf2\n", "none\n"));
	complete(WORDS("frobnicate", "x", ""), NULL, WORDS(""));
	assert_string_equal(r.out, "");
}

TEST(where_a_file_stands_the_shell_is_asked_for_names_of_files)
{
	complete(WORDS("firmware", "add", ""), NULL, WORDS("\t\n"));
	complete(WORDS("backup", "1-4", ""), NULL, WORDS("\t\n"));
	complete(WORDS("firmware", "make", "a.dfu", "b"), NULL, WORDS("\t\n"));
	complete(WORDS("firmware", "extract", "a.dfu", "-o", ""), NULL, WORDS("\t\n"));
	complete(WORDS("watch", "--exec", "/us"), NULL, WORDS("\t\n"));
	complete(WORDS("--socket", ""), NULL, WORDS("\t\n"));
	complete(WORDS("firmware", "add", "--name", ""), NULL, WORDS(""));
	assert_string_equal(r.out, "");
}

TEST(slots_drones_and_firmware_come_from_the_station)
{
	complete(WORDS("retry", ""), WORDS(STATUS), WORDS("A3\tfail\n", "Ada B\tfail\n", "A4\n"));
	assert_null(strstr(r.out, "51AA34"));
	complete(WORDS("show", "51"), WORDS(STATUS, KNOWN), WORDS("51AA34\tfail\n", "51BB\n"));
	complete(WORDS("retry", "A3", "A4", "B"), WORDS(STATUS, KNOWN), WORDS("Bea\n"));
	complete(WORDS("firmware", "select", "cf"), WORDS(FIRMWARE), WORDS("cf2-2025.12\n"));
	complete(WORDS("firmware", "select", "x", "--for", "A"), WORDS(STATUS, KNOWN),
		 WORDS("A3\t", "A4\n"));
	complete(WORDS("plan", "--with", ""), WORDS(FIRMWARE), WORDS("cf2-2025.12\n"));
	complete(WORDS("status", "A3", ""), WORDS(STATUS), WORDS(""));
	assert_string_equal(r.requests, "");
}

TEST(a_station_that_does_not_answer_is_nobodys_word)
{
	complete(WORDS("--socket", "/not/there", "retry", ""), NULL, WORDS(""));
	assert_string_equal(r.out, "");
}

TEST_MAIN(NULL)
