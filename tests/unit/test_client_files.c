/* SPDX-License-Identifier: MIT */
/* cfdfuctl, the program: firmware files, backups, recovery, history, another machine. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client_run.h"
#include "fixtures/bad.h"
#include "fixtures/mkimage.h"

static struct run r;
static const char *const no_replies[] = { NULL };

static void
expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* A generated image in the test's directory. */
static void
make_image(const char *name, enum mkimage_format format, const struct mkimage_spec *spec)
{
	uint8_t *bytes;
	size_t size;

	assert_int_equal(mkimage_make(spec, format, &bytes, &size), 0);
	(void)client_file(name, bytes, size);
	free(bytes);
}

/* Runs with every "@/" in words replaced by the test's directory. */
static void
run_in(const char *words, const char *const *replies, const char *input)
{
	char line[2048] = "";
	size_t used = 0;

	for (const char *w = words; *w != '\0'; w++) {
		if (w[0] == '@' && w[1] == '/')
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s",
						 client_directory());
		else
			line[used++] = *w;
		line[used] = '\0';
	}
	client_run(&r, line, replies, input);
}

static void
run(const char *words, const char *reply)
{
	const char *const replies[] = { reply, NULL };

	run_in(words, replies, NULL);
}

static size_t
size_of(const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", client_directory(), name);
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static bool
same_files(const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), "cmp -s %s/%s %s/%s", client_directory(), a,
		 client_directory(), b);
	return system(command) == 0;
}

#define ADDED                                                                                      \
	"{\"parameters\":{\"firmware\":{\"name\":\"rel\",\"platforms\":[\"cf2\"],\"bytes\":1},"    \
	"\"findings\":[]}}"

#define PART_ADDED                                                                                 \
	"{\"parameters\":{\"part\":{\"target\":\"bcX\",\"type\":\"fw\",\"bytes\":7,"               \
	"\"text\":\"w\"},"                                                                         \
	"\"findings\":[]}}"

static const char *const with_parts[] = { ADDED,      PART_ADDED, PART_ADDED, PART_ADDED,
					  PART_ADDED, PART_ADDED, NULL };

TEST(a_release_brings_each_of_its_parts_along)
{
	static const char *const refused[] = {
		ADDED,
		"{\"error\":\"org.cfdfu.Station.ImageRefused\",\"parameters\":{\"reason\":"
		"\"too odd\","
		"\"findings\":[]}}",
		PART_ADDED,
		PART_ADDED,
		PART_ADDED,
		PART_ADDED,
		NULL
	};

	make_image("r.zip", MKIMAGE_ZIP2, &(struct mkimage_spec){ .size = 40000 });
	run_in("firmware add @/r.zip", with_parts, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests,
	       "AddFirmwarePart\",\"parameters\":{\"name\":\"rel\",\"target\":\"nrf51\","
	       "\"type\":\"fw\",\"version\":\"2025.02\",\"soft_device\":\"sd-s130\"}");
	expect(r.requests, "\"type\":\"bootloader+softdevice\",\"version\":\"2024.10\"");
	expect(r.requests, "\"target\":\"bcLighthouse4\",\"type\":\"fw\",\"version\":\"V6\"}");
	expect(r.requests, "\"target\":\"bcColorLedBot:col\"");
	expect(r.requests, "\"target\":\"bcColorLedTop:col\"");
	assert_int_equal(r.file_bytes, 1000); /* of the last one, as it is in the release */
	expect(r.out, "nrf51 2025.02, 3,000 bytes: by radio only; each drone's version");
	expect(r.out, "bcLighthouse4 V6, 104,093 bytes: written over USB (deck update), where");
	/* One that the service refuses is named; the others go on. */
	run_in("firmware add @/r.zip", refused, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "too odd");
	expect(r.err, "not stored: the part for nrf51 (cf2_nrf-2025.02.bin)");
	expect(r.requests, "bcColorLedTop:col");
	expect(r.out, "Stored as \"rel\".");
	run_in("--json firmware add @/r.zip", with_parts, NULL);
	expect(r.out, "\"parts\":[{\"target\":\"bcX\"");
	run_in("firmware check @/r.zip", no_replies, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.out, "nrf51 bootloader+softdevice 2024.10, 4,096 bytes: by radio only\n");
	run_in("--json firmware check @/r.zip", no_replies, NULL);
	expect(r.out, "{\"target\":\"bcLighthouse4\",\"type\":\"fw\",\"version\":\"V6\",\"bytes\":"
		      "104093,\"use\":\"deck\",");
}

TEST(parts_are_listed_and_shown)
{
#define CATALOGUE                                                                                  \
	"{\"name\":\"rel\",\"sha256\":\"00\",\"platforms\":[\"cf2\"],\"bytes\":1,\"parts\":["      \
	"{\"target\":\"nrf51\",\"type\":\"fw\",\"version\":\"2025.02\",\"bytes\":9,"               \
	"\"text\":\"t\"},"                                                                         \
	"{\"target\":\"nrf51\",\"type\":\"bootloader+softdevice\",\"bytes\":9,\"text\":\"t\","     \
	"\"problem\":\"its file is missing\"}]}"

	run("firmware list", "{\"parameters\":{\"firmware\":[" CATALOGUE "]}}");
	expect(r.out, "PARTS");
	expect(r.out, " nrf51 ");
	expect(r.out, "rel: nrf51: its file is missing\n");
	run("firmware list", "{\"parameters\":{\"firmware\":[{\"name\":\"x\",\"sha256\":\"00\","
			     "\"platforms\":[],\"bytes\":1,\"parts\":[]}]}}");
	assert_null(strstr(r.out, "PARTS"));
	run("firmware show rel", "{\"parameters\":{\"firmware\":" CATALOGUE ",\"elements\":[]}}");
	expect(r.out, "  parts        nrf51 2025.02, 9 bytes: t\n");
	expect(r.out, "               nrf51 bootloader+softdevice, 9 bytes: t\n"
		      "               its file is missing\n");
}

TEST(adding_hands_over_one_dfuse_file_with_what_is_known)
{
	make_image("firmware-cf2.dfu", MKIMAGE_DFU, &(struct mkimage_spec){ .size = 40000 });
	run("firmware add @/firmware-cf2.dfu", ADDED);
	assert_memory_equal(r.file, "DfuSe", 5);
	assert_int_equal(r.file_bytes, 11 + 274 + 8 + 40000 + 16);
	make_image("firmware-cf2.zip", MKIMAGE_ZIP2, &(struct mkimage_spec){ .size = 40000 });
	run_in("firmware add @/firmware-cf2.zip", with_parts, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "AddFirmware\",\"parameters\":{\"name\":\"cf2\",\"manifest\":"
			   "\"cf2\",\"source_name\":\"firmware-cf2.zip\",\"source_sha256\":\"");
	expect(r.requests, "\"version\":\"2025.12\"");
	expect(r.requests, "\"notes\":[\"DFU mode installs the STM32's part; beside it: the nRF");
	expect(r.out, "accepted");
	expect(r.out, "Stored as \"rel\".");
	make_image("cf2(1).bin", MKIMAGE_BIN, &(struct mkimage_spec){ .size = 40000 });
	run("firmware add @/cf2(1).bin", ADDED);
	expect(r.requests, "\"name\":\"cf2_1_\"");
	run_in("firmware add @/firmware-cf2.zip --name other --platform cf2 --json", with_parts,
	       NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "{\"name\":\"other\",\"platform\":\"cf2\"");
	assert_int_equal(r.out[0], '{');
}

TEST(a_refused_file_is_not_sent)
{
	make_image("wrong.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .base = 0x08000000 });
	run_in("firmware add @/wrong.bin", no_replies, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	assert_string_equal(r.requests, "");
	expect(r.err, "linked for 0x08000000");
	run_in("firmware add @/wrong.bin --json", no_replies, NULL);
	expect(r.err, "{\"error\":\"org.cfdfu.Station.ImageRefused\"");
	run_in("firmware add @/", no_replies, NULL);
	expect(r.err, "is a directory");
	run_in("firmware add @/not-there", no_replies, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "No such file");
	(void)client_file("empty", "", 0);
	run_in("firmware add @/empty", no_replies, NULL);
	expect(r.err, "empty");
	assert_int_equal(r.status, EXIT_REFUSED);
	run_in("firmware add -", no_replies, "\177ELF");
	assert_int_equal(r.status, EXIT_REFUSED);
}

TEST(a_refusal_by_the_service_is_shown_with_all_findings)
{
	make_image("cf2.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .size = 40000 });
	run("firmware add @/cf2.bin",
	    "{\"error\":\"org.cfdfu.Station.ImageRefused\",\"parameters\":{\"reason\":\"wrong "
	    "base\",\"findings\":[{\"level\":\"warning\",\"code\":\"gaps\",\"text\":\"has "
	    "gaps\"}]}}");
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "the image is refused: wrong base\n  warning: has gaps\n");
}

TEST(checking_needs_no_service)
{
	client_run(&r, "pause", NULL, NULL);
	make_image("cf2.hex", MKIMAGE_HEX, &(struct mkimage_spec){ .size = 40000 });
	run_in("firmware check @/cf2.hex", NULL, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.out, "cf2.hex: accepted\n");
	expect(r.out, "Intel HEX");
	expect(r.out, "sectors     1 to 3,");
	run_in("firmware check @/cf2.hex --json", NULL, NULL);
	expect(r.out, "{\"accepted\":true,\"reason\":null,");
	expect(r.out, "\"platforms\":[\"cf2\"]");
	run_in("--json firmware check @/nothing", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	assert_string_equal(r.err, "{\"error\":\"org.cfdfu.Station.ImageRefused\",\"parameters\":{"
				   "\"reason\":\"cannot open: No such file or directory\","
				   "\"findings\":[]}}\n");
	run_in("firmware check @/cf2.hex --platform bolt", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.out, "REFUSED");
	make_image("loader.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .loader = true });
	run_in("firmware check @/loader.bin", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	run_in("firmware check --loader @/loader.bin", NULL, NULL);
	assert_int_equal(r.status, EXIT_OK);
}

TEST(a_file_made_of_three_is_taken_apart_into_the_same_three)
{
	make_image("app.hex", MKIMAGE_HEX, &(struct mkimage_spec){ .size = 40000 });
	make_image("app.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .size = 40000 });
	(void)client_file("spi.bin", "spi dat\0", 8);
	(void)client_file("nor@home:x.bin", "nor data\0", 9);
	run_in(
	    "firmware make @/all.dfu @/app.hex @/spi.bin@0:1=SPI @/nor@home:x.bin@0x64000000:2=NOR",
	    NULL, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.out, "3 targets, 3 elements");
	run_in("firmware show --elements @/all.dfu", NULL, NULL);
	expect(r.out, "target 1 \"SPI\"  0x00000000-0x00000007  8 bytes");
	expect(r.out, "target 2 \"NOR\"  0x64000000-0x64000008  9 bytes");
	run_in("firmware extract @/all.dfu -o @/", NULL, NULL);
	assert_int_equal(r.status, EXIT_OK);
	assert_true(same_files("all-target0-08004000.bin", "app.bin"));
	assert_true(same_files("all-target1-00000000.bin", "spi.bin"));
	assert_int_equal(size_of("all-target2-64000000.bin"), 9);
	run_in("firmware make @/again.dfu @/all.dfu", NULL, NULL);
	assert_true(same_files("again.dfu", "all.dfu"));
	run_in("firmware make @/x.dfu @/spi.bin @/spi.bin", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "overlap");
	run_in("firmware extract @/all.dfu --target 7", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	run_in("firmware make /nowhere/x.dfu @/spi.bin", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
}

TEST(the_catalogue_is_a_table_and_one_image_a_page)
{
	static const char list[] =
	    "{\"parameters\":{\"firmware\":[{\"name\":\"rel\",\"sha256\":\"3fa9c1d2aabbccdd\","
	    "\"version\":\"2025.02\",\"platforms\":[\"cf2\",\"bolt\"],\"bytes\":243176,"
	    "\"selected_for\":[\"cf2\"],\"own\":[\"1-4\"],\"added_at\":"
	    "\"2025-11-20T10:00:00.000Z\"}]}}";

	run("firmware list", list);
	assert_string_equal(
	    r.out,
	    "NAME VERSION PLATFORM    BYTES SHA-256      SELECTED FOR ADDED\n"
	    "rel  2025.02 cf2, bolt 243,176 3fa9c1d2aabb cf2, 1-4     2025-11-20 10:00:00\n");
	run("firmware list", "{\"parameters\":{\"firmware\":[]}}");
	expect(r.out, "No firmware yet");
	run("firmware show rel",
	    "{\"parameters\":{\"firmware\":{\"name\":\"rel\",\"bytes\":5,\"notes\":[\"no nRF\"]},"
	    "\"elements\":[{\"target\":0,\"address\":134234112,\"bytes\":5}]}}");
	expect(r.out, "notes        no nRF");
	expect(r.out, "target 0 at 0x08004000, 5 bytes");
}

#define ATTEMPT(id, extra)                                                                         \
	"{\"id\":" id ",\"started_at\":\"2025-11-20T10:00:00.123Z\",\"port\":\"1-4\",\"serial\":"  \
	"\"AA\",\"firmware_name\":\"rel\",\"verdict\":\"fail\",\"fault\":\"gone\",\"step\":"       \
	"\"writing\",\"duration_ms\":1234" extra "}"

TEST(history_is_a_table_csv_and_json)
{
	static const char reply[] = "{\"parameters\":{\"attempts\":[" ATTEMPT(
	    "7", ",\"label\":\"=cmd\",\"message\":\"a, \\\"b\\\"\"") "],\"next\":null}}";

	run("history", reply);
	assert_string_equal(
	    r.out,
	    "ID STARTED             SLOT SERIAL FIRMWARE VERSION VERDICT READY  TOOK FAULT\n"
	    " 7 2025-11-20 10:00:00 =cmd AA     rel              fail          1.2 s gone while "
	    "writing\n");
	run("history --csv", reply);
	expect(r.out,
	       "id,started_at,ended_at,port,label,serial,dfu_serial,platform,firmware_name,"
	       "firmware_version,firmware_sha256,version_before,version_after,verdict,fault,"
	       "step,address,bytes_written,sectors_erased,transfers,duration_ms,message,kind,"
	       "batch,ready,target,path,nrf_version,uuid,signer\r\n");
	expect(r.out, "7,2025-11-20T10:00:00.123Z,,1-4,\"'=cmd\",AA,");
	expect(r.out, ",1234,\"a, \"\"b\"\"\",,,,,,,,\r\n");
	run("--json history", reply);
	expect(r.out, "{\"attempts\":[{\"id\":7,");
	run("history -s S -p P -v fail --since 2025-11-20T10:00:00Z --until 2025-11-21Z -n 5",
	    reply);
	expect(r.requests, "{\"serial\":\"S\",\"slot\":\"P\",\"verdict\":\"fail\",\"since\":"
			   "\"2025-11-20T10:00:00.000Z\",\"until\":\"2025-11-21T00:00:00.000Z\","
			   "\"limit\":5}");
}

TEST(long_histories_come_page_by_page)
{
	const char *const replies[] = {
		"{\"parameters\":{\"attempts\":[" ATTEMPT("9", "") "," ATTEMPT("8",
									       "") "],\"next\":8}}",
		"{\"parameters\":{\"attempts\":[" ATTEMPT("3", "") "],\"next\":null}}", NULL
	};

	run_in("--json history --limit 1000", replies, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "{\"limit\":500}");
	expect(r.requests, "{\"limit\":500,\"before\":8}");
	expect(r.out, "\"id\":3");
	expect(r.out, "\"next\":null}");
}

/* A list that ends before its end says so; what other programs read is whole. */
TEST(no_history_is_cut_in_silence)
{
	static const char cut[] =
	    "{\"parameters\":{\"attempts\":[" ATTEMPT("9", ",\"kind\":\"backup\"") "],\"next\":9}}";
	static const char empty[] = "{\"parameters\":{\"attempts\":[],\"next\":8}}";
	static const char rest[] =
	    "{\"parameters\":{\"attempts\":[" ATTEMPT("3", "") "],\"next\":null}}";
	const char *const table[] = { cut, NULL }, *const whole[] = { cut, empty, rest, NULL };
	const char *const late[] = { empty, rest, NULL };

	run_in("history -n 1", table, NULL);
	expect(r.out, "backup: fail");
	expect(r.out, "\nOlder ones are not shown: --limit N");
	run_in("history --csv", whole, NULL);
	expect(r.requests, "{\"limit\":500,\"before\":9}");
	expect(r.requests, "{\"limit\":500,\"before\":8}");
	expect(r.out, ",nrf_version,uuid,signer\r\n9,");
	expect(r.out, ",backup,,,,,,,\r\n3,");
	run_in("--json history", whole, NULL);
	expect(r.out, "{\"attempts\":[{\"id\":9,");
	expect(r.out, "},{\"id\":3,");
	expect(r.out, "}],\"next\":null}\n");
	run_in("--json history", late, NULL);
	expect(r.out, "{\"attempts\":[{\"id\":3,");
	run("--json history --kind Backup", "{\"parameters\":{\"attempts\":[],\"next\":null}}");
	expect(r.requests, "{\"kind\":\"backup\",\"limit\":500}");
	assert_string_equal(r.out, "{\"attempts\":[],\"next\":null}\n");
}

TEST(one_attempt_and_one_drone_are_pages)
{
	static const char *const drone[] = {
		"{\"parameters\":{\"drone\":{\"dfu_serial\":\"207536753834\",\"quirks\":[\"obey\"],"
		"\"quarantined\":true},\"attempts\":[]}}",
		NULL
	};

	run("show 7", "{\"parameters\":{\"attempt\":" ATTEMPT(
			  "7", ",\"address\":134234112,\"bytes_written\":"
			       "243176") ",\"stages\":[{\"step\":\"erasing\","
					 "\"ms\":950}]}}");
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "GetAttempt\",\"parameters\":{\"id\":7}");
	expect(r.out, "Attempt 7: fail\n");
	expect(r.out, "0x08004000");
	expect(r.out, "243,176");
	expect(r.out, "erasing        950 ms");
	run_in("show A1", drone, NULL);
	expect(r.requests, "GetDrone\",\"parameters\":{\"serial\":\"A1\"}");
	expect(r.out, "Drone 207536753834\n");
	expect(r.out, "port release 207536753834");
	expect(r.out, "No attempts.");
}

TEST(a_backup_becomes_the_users_file)
{
	static const char reply[] = "{\"parameters\":{\"attempt\":1,\"bytes\":6,\"sha256\":\"\","
				    "\"elements\":[]}}";
	char path[256];

	run("backup 1-4 @/out.dfu --whole", reply);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "Backup\",\"parameters\":{\"slot\":\"1-4\",\"whole\":true}");
	assert_int_equal(size_of("out.dfu"), CLIENT_BACKUP_BYTES);
	run("backup 1-4 -", reply);
	assert_memory_equal(r.out, "DfuSe", 5);
	run("backup 1-4 @/not.dfu",
	    "{\"error\":\"org.cfdfu.Station.Failed\",\"parameters\":{\"reason\":\"it left\"}}");
	assert_int_equal(r.status, EXIT_DRONE_FAILED);
	snprintf(path, sizeof(path), "%s/not.dfu", client_directory());
	assert_int_equal(access(path, F_OK), -1);
}

TEST(recovery_asks_first_and_takes_only_a_loader)
{
	static const char good[] = "{\"parameters\":{\"attempt\":3,\"verdict\":\"pass\","
				   "\"message\":\"The loader is back.\"}}";
	static const char bad[] = "{\"parameters\":{\"attempt\":3,\"verdict\":\"fail\","
				  "\"message\":\"Gone.\"}}";

	make_image("cf2loader.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .loader = true });
	make_image("cf2.bin", MKIMAGE_BIN, &(struct mkimage_spec){ .size = 12000 });
	run_in("recover-loader 1-4 --image @/cf2loader.bin", no_replies, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.err, "--yes");
	assert_string_equal(r.requests, "");
	run_in("recover-loader 1-4 --yes --image @/cf2.bin", no_replies, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	assert_string_equal(r.requests, "");
	run("recover-loader 1-4 --yes --image @/cf2loader.bin", good);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "RecoverLoader\",\"parameters\":{\"slot\":\"1-4\",\"source_name\":"
			   "\"cf2loader.bin\",");
	assert_memory_equal(r.file, "DfuSe", 5);
	run("recover-loader 1-4 -y -f -i @/cf2loader.bin", bad);
	assert_int_equal(r.status, EXIT_DRONE_FAILED);
	expect(r.requests, "\"force\":true");
}

/* "ssh" is a script that forgets the machine and runs the command here. */
static void
use_fake_ssh(void)
{
	static const char script[] = "#!/bin/sh\n[ \"$1\" = -- ] || exit 255\n"
				     "[ \"$2\" = nowhere ] && exit 255\n"
				     "PATH=$CFDFU_TEST_PATH:$PATH exec sh -c \"$3\"\n";
	const char *path = client_file("ssh", script, strlen(script));
	char program[PATH_MAX], *slash;

	assert_int_equal(chmod(path, 0755), 0);
	copy_text(program, sizeof(program), client_program());
	slash = strrchr(program, '/');
	*slash = '\0';
	setenv("CFDFU_SSH", path, 1);
	setenv("CFDFU_TEST_PATH", program, 1);
}

TEST(another_machine_is_reached_through_ssh)
{
	use_fake_ssh();
	run("-H lab@station --json status", "{\"parameters\":{\"slots\":[]}}");
	assert_int_equal(r.status, EXIT_OK);
	assert_string_equal(r.out, "{\"slots\":[]}\n");
	expect(r.requests, "GetStatus");
	make_image("cf2.zip", MKIMAGE_ZIP1, &(struct mkimage_spec){ .size = 40000 });
	run_in("-H station firmware add @/cf2.zip --name it's", with_parts, NULL);
	assert_int_equal(r.status, EXIT_OK);
	expect(r.requests, "\"name\":\"it's\"");
	expect(r.requests, "\"source_name\":\"cf2.zip\"");
	expect(r.requests, "\"target\":\"bcColorLedTop:col\"");
	run("-H station backup 1-4 @/far.dfu",
	    "{\"parameters\":{\"attempt\":1,\"bytes\":6,\"sha256\":\"\",\"elements\":[]}}");
	assert_int_equal(r.status, EXIT_OK);
	assert_int_equal(size_of("far.dfu"), CLIENT_BACKUP_BYTES);
	run_in("-H nowhere status", no_replies, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	expect(r.err, "cannot reach nowhere");
	run_in("-H station status", NULL, NULL);
	assert_int_equal(r.status, EXIT_NO_DAEMON);
	expect(r.err, "is not running");
	run("-H station pause",
	    "{\"error\":\"org.cfdfu.Station.Busy\",\"parameters\":{\"reason\":\"no\"}}");
	assert_int_equal(r.status, EXIT_REFUSED);
}

TEST(doctor_includes_the_checks_of_the_service)
{
	static const char reply[] =
	    "{\"parameters\":{\"health\":\"degraded\",\"reason\":\"disk full\",\"checks\":[{"
	    "\"name\":\"records\",\"level\":\"fail\",\"text\":\"No records.\",\"fix\":"
	    "\"make room\"}]}}";

	setenv("CFDFU_DOCTOR_ROOT", client_directory(), 1);
	run("doctor", reply);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.out, "ok    the service cfdfud answers\n");
	expect(r.out, "fail  No records.\n      to fix it: make room\n");
	run("--json doctor", reply);
	expect(r.out, "\"health\":\"degraded\",\"reason\":\"disk full\"");
	run_in("doctor", NULL, NULL);
	assert_int_equal(r.status, EXIT_REFUSED);
	expect(r.out, "fail  the service cfdfud is not running\n");
	unsetenv("CFDFU_DOCTOR_ROOT");
}

TEST(every_bad_file_is_refused_for_its_reason)
{
	size_t count = 0;

	for (const struct bad_file *f; (f = bad_file(count)) != NULL; count++) {
		uint8_t *bytes;
		size_t size;

		assert_int_equal(bad_make(f, &bytes, &size), 0);
		(void)client_file("bad", bytes, size);
		free(bytes);
		run_in("firmware check @/bad", NULL, NULL);
		if (r.status != EXIT_REFUSED ||
		    (strstr(r.err, f->reason) == NULL && strstr(r.out, f->reason) == NULL))
			fail_msg("%s: not \"%s\" (%d):\n%s%s", f->name, f->reason, r.status, r.out,
				 r.err);
	}
	assert_true(count >= 60);
}

TEST_MAIN(NULL)
