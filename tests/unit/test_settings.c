/* SPDX-License-Identifier: MIT */
/* Contract of app/settings: defaults, every key, drop-ins, and what is refused, with file and line.
 */
#include "config.h"

#include "app/settings.h"
#include "app/settings_set.h"
#include "core/fleet.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "test.h"

/* Directories of one test: etc, run, lib below a temporary one. */
struct tree {
	char root[64];
	char etc[80], run[80], lib[80];
	const char *dirs[4];
	char error[SETTINGS_ERROR_MAX];
	struct settings *settings;
};

static int
set_up(void **state)
{
	static struct tree t;

	memset(&t, 0, sizeof(t));
	copy_text(t.root, sizeof(t.root), "/tmp/cfdfud-config-XXXXXX");
	if (mkdtemp(t.root) == NULL)
		return -1;
	(void)snprintf(t.etc, sizeof(t.etc), "%s/etc", t.root);
	(void)snprintf(t.run, sizeof(t.run), "%s/run", t.root);
	(void)snprintf(t.lib, sizeof(t.lib), "%s/lib", t.root);
	t.dirs[0] = t.etc;
	t.dirs[1] = t.run;
	t.dirs[2] = t.lib;
	*state = &t;
	return mkdir(t.etc, 0755) | mkdir(t.run, 0755) | mkdir(t.lib, 0755);
}

static int
tear_down(void **state)
{
	struct tree *t = *state;
	char command[128];

	settings_free(t->settings);
	(void)snprintf(command, sizeof(command), "rm -rf %s", t->root);
	return system(command);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	if (strncmp(name, "cfdfud.conf.d/", 14) == 0) {
		(void)snprintf(path, sizeof(path), "%s/cfdfud.conf.d", dir);
		(void)mkdir(path, 0755); /* may be there */
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct settings *
load(struct tree *t)
{
	settings_free(t->settings);
	t->settings = NULL;
	if (settings_load(NULL, t->dirs, &t->settings, t->error) < 0) {
		assert_null(t->settings);
		print_message("%s\n", t->error);
		assert_true(false);
	}
	assert_string_equal(t->error, "");
	return t->settings;
}

/* The main file with this text is refused with an error that ends in these words. */
static void
expect_refused(struct tree *t, const char *text, const char *words)
{
	size_t error_length, length = strlen(words);

	write_file(t->etc, "cfdfud.conf", text);
	assert_int_equal(settings_load(NULL, t->dirs, &t->settings, t->error), -22);
	assert_null(t->settings);
	error_length = strlen(t->error);
	if (error_length < length || strcmp(t->error + error_length - length, words) != 0)
		assert_string_equal(t->error, words);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(without_a_file_the_documented_defaults_apply)
{
	struct settings *c = load(*state);

	assert_int_equal(c->ports.count, 0);
	assert_true(settings_ports_match(&c->ports, "1-4", NULL));
	assert_int_equal(c->adopt, JOB_ADOPT_RECOGNISED);
	assert_int_equal(c->quarantine, 3);
	assert_int_equal(c->idle_exit_ms, 0);
	assert_int_equal(c->max_active, 120);
	assert_int_equal(c->writers_per_translator, SETTINGS_LEARNED);
	assert_true(settings_fleet_options(c).limits.blocks_learned);
	assert_int_equal(c->switch_stagger_ms, 10);
	assert_int_equal(c->switch_stagger_of, STAGGER_CONTROLLER);
	assert_int_equal(c->attempt_deadline_ms, 180000);
	assert_true(c->free_space_floor_bytes == 64U << 20);
	assert_string_equal(c->group, "cfdfu");
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->pacing, PACING_EXPECT);
	assert_int_equal(c->parallelism, PARALLELISM_BYTE);
	assert_int_equal(c->leave, LEAVE_APPLICATION);
	assert_int_equal(c->skip, JOB_SKIP_READBACK);
	assert_true(c->light);
	assert_false(c->backup);
	assert_null(settings_label(c, "1-4", NULL));
}

TEST_SET_UP(every_key_is_understood)
{
	struct tree *t = *state;
	struct settings *c;

	write_file(
	    t->etc, "cfdfud.conf",
	    "\xEF\xBB\xBF; a byte order mark and a comment\r\n# another\n\n"
	    "[station]\n  ports = 1-*, 3-2.* ; two\nports=4-1\nadopt = port\nquarantine = 0\n"
	    "idle-exit = 5min\nmax-active=7\nswitch-limit = 3\nwriters-per-translator = 0\n"
	    "switch-stagger = 250ms\nswitch-stagger-of = hub\n"
	    "runtime-per-controller = 15\nboot-timeout = 1500ms\ndfu-timeout = 7\n"
	    "attempt-deadline = 1 h\nfree-space-floor = 2G\ngroup = plugdev\nlog-level = debug\n"
	    "[flash]\npacing = obey\nparallelism = word\nleave = loader\nskip = version\n"
	    "light = no\nbackup = yes\nbackup-keep = 9\nbackup-age = 30d\n");
	c = load(t);
	assert_int_equal(c->ports.count, 3);
	assert_true(settings_ports_match(&c->ports, "1-7.1", NULL));
	assert_true(settings_ports_match(&c->ports, "4-1", NULL));
	assert_false(settings_ports_match(&c->ports, "4-1.1", NULL));
	assert_false(settings_ports_match(&c->ports, "3-1", NULL));
	assert_int_equal(c->adopt, JOB_ADOPT_PORT);
	assert_int_equal(c->quarantine, 0);
	assert_int_equal(c->idle_exit_ms, 300000);
	assert_int_equal(c->max_active, 7);
	assert_int_equal(c->switch_limit, 3);
	assert_int_equal(c->switch_stagger_ms, 250);
	assert_int_equal(c->switch_stagger_of, STAGGER_HUB);
	assert_int_equal(c->writers_per_translator, 0);
	assert_int_equal(c->runtime_per_controller, 15);
	assert_int_equal(c->boot_timeout_ms, 1500);
	assert_int_equal(c->dfu_timeout_ms, 7000);
	assert_int_equal(c->attempt_deadline_ms, 3600000);
	assert_true(c->free_space_floor_bytes == UINT64_C(2) << 30);
	assert_string_equal(c->group, "plugdev");
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->pacing, PACING_OBEY);
	assert_int_equal(c->parallelism, PARALLELISM_WORD);
	assert_int_equal(c->leave, LEAVE_LOADER);
	assert_int_equal(c->skip, JOB_SKIP_VERSION);
	assert_false(c->light);
	assert_true(c->backup);
	assert_int_equal(c->backup_keep, 9);
	assert_true(c->backup_age_ms == UINT64_C(30) * 86400000);
}

TEST_SET_UP(an_exact_label_beats_a_glob_and_a_later_line_an_earlier)
{
	struct tree *t = *state;
	struct settings *c;

	write_file(t->etc, "cfdfud.conf",
		   "[slots]\n1-4 = A1\n1-* = row A\n1-4.* = hub\n2-1 = x\n2-1 = y ; again\n"
		   "2-2 = gone\n2-2 =\n2-3 = Stra\xC3\x9F"
		   "e 3\n");
	c = load(t);
	assert_string_equal(settings_label(c, "1-4", NULL), "A1");
	assert_string_equal(settings_label(c, "1-5", NULL), "row A");
	assert_string_equal(settings_label(c, "1-4.2", NULL), "hub");
	assert_string_equal(settings_label(c, "2-1", NULL), "y");
	assert_null(settings_label(c, "2-2", NULL));
	assert_string_equal(settings_label(c, "2-3", NULL), "Stra\xC3\x9F"
							    "e 3");
	assert_null(settings_label(c, "9-9", NULL));
}

/* As udev's ID_PATH has it: colons in a key, wildcards, and the form with the USB revision. */
TEST_SET_UP(a_slot_is_named_by_its_controllers_path_too)
{
	static const char path[] = "pci-0000:00:14.0-usb-0:4.2";
	struct tree *t = *state;
	struct settings *c;

	write_file(t->etc, "cfdfud.conf",
		   "[station]\nports = 9-*, pci-0000:00:14.0-usbv2-0:4.*\n"
		   "[slots]\npci-0000:00:14.0-usb-0:4.2 = A3\n1-4.2 = by number\n"
		   "platform-fd500000.pcie-pci-0000:01:00.0-usbv2-0:1.? = row B\n"
		   "[platforms]\npci-0000:00:14.0-usb-0:4.2 = flapper\n");
	c = load(t);
	assert_string_equal(settings_label(c, "1-4.2", path), "A3");
	assert_string_equal(settings_label(c, "7-4.2", path), "A3");
	assert_string_equal(settings_label(c, "1-4.2", NULL), "by number");
	assert_string_equal(settings_label(c, "1-4.2", ""), "by number");
	assert_string_equal(
	    settings_label(c, "3-1.2", "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2"),
	    "row B");
	assert_null(settings_label(c, "3-1.2", "pci-0000:01:00.0-usb-0:1.2"));
	assert_true(settings_ports_match(&c->ports, "1-4.2", path));
	assert_true(settings_ports_match(&c->ports, "9-1", ""));
	assert_false(settings_ports_match(&c->ports, "1-4.2", NULL));
	assert_false(settings_ports_match(&c->ports, "1-5", "pci-0000:00:14.0-usb-0:5"));
	assert_string_equal(c->rules[0].target, path);
}

TEST_SET_UP(platform_rules_name_a_slot_or_a_serial)
{
	struct tree *t = *state;
	struct settings *c;

	write_file(t->etc, "cfdfud.conf",
		   "[platforms]\n1-4.1 = flapper\n51004F000551343036333233 = bolt\n1-4.1 = cf2\n");
	c = load(t);
	assert_int_equal(c->rule_count, 2);
	assert_string_equal(c->rules[0].target, "1-4.1");
	assert_int_equal(c->rules[0].platform, PLATFORM_CF2);
	assert_string_equal(c->rules[1].target, "51004F000551343036333233");
	assert_int_equal(c->rules[1].platform, PLATFORM_BOLT);
}

TEST_SET_UP(a_device_section_describes_any_dfuse_device)
{
	struct tree *t = *state;
	struct sighting s = {
		.port = "3-1", .vid = 0x0483, .pid = 0xDF11, .product = "STM3210E-EVAL"
	};
	const struct settings_device *d;
	const struct device *k;
	struct settings *c;

	write_file(t->etc, "cfdfud.conf",
		   "[device evaluation board]\nvid = 0483\npid = 0xDF11\nports = 3-*\n"
		   "product = STM32*\nmap-0 = @Internal Flash  /0x08000000/06*002Ka,250*002Kg\n"
		   "map-1 = as it says\nmap-2 = @NOR Flash : M29W128F/0x64000000/0256*64Kg\n"
		   "application-base = 0x08003000\nprotected = 0x08000000-0x08002FFF, "
		   "0x1FFFF000-0x1FFFFFFF\n"
		   "boots-after-leave = yes\n"
		   "[device other]\nvid = 1\npid = 2\n");
	c = load(t);
	assert_int_equal(c->device_count, 2);
	d = &c->devices[0];
	assert_int_equal(settings_described_as(c, &s), BIT(2)); /* the last is the first profile */
	assert_ptr_equal(settings_profile(c, 1), &d->device);
	assert_null(settings_profile(c, 2));
	k = &d->device;
	assert_string_equal(k->name, "evaluation board");
	assert_true(k->map_given[0]);
	assert_int_equal(k->map[0].runs[0].count, 6);
	assert_false(k->map_given[1]);
	assert_true(k->map_given[2]);
	assert_int_equal(k->app_addr, 0x08003000);
	assert_int_equal(k->protect_count, 2);
	assert_int_equal(k->protect[1].last, 0x1FFFFFFF);
	assert_true(k->leave);
	copy_text(s.port, sizeof(s.port), "1-1");
	assert_int_equal(settings_described_as(c, &s), 0);
	copy_text(s.port, sizeof(s.port), "3-2");
	copy_text(s.product, sizeof(s.product), "Crazyflie");
	assert_int_equal(settings_described_as(c, &s), 0);
}

TEST_SET_UP(dropins_apply_in_the_order_of_their_names_whatever_their_directory)
{
	struct tree *t = *state;

	write_file(t->lib, "cfdfud.conf", "[station]\nquarantine = 1\n");
	write_file(t->lib, "cfdfud.conf.d/50-vendor.conf", "[station]\nquarantine = 50\n");
	assert_int_equal(load(t)->quarantine, 50);
	write_file(t->etc, "cfdfud.conf.d/10-site.conf",
		   "[station]\nquarantine = 10\nswitch-limit=4\n");
	assert_int_equal(load(t)->quarantine, 50);
	assert_int_equal(t->settings->switch_limit, 4);
	write_file(t->run, "cfdfud.conf.d/60-now.conf", "[station]\nquarantine = 60\n");
	assert_int_equal(load(t)->quarantine, 60);
	write_file(t->etc, "cfdfud.conf.d/readme.txt", "not a drop-in");
	write_file(t->etc, "cfdfud.conf.d/.hidden.conf", "not a drop-in");
	assert_int_equal(load(t)->quarantine, 60);
}

TEST_SET_UP(a_file_of_the_same_name_in_etc_masks_the_vendors)
{
	struct tree *t = *state;
	char path[128];

	write_file(t->lib, "cfdfud.conf.d/50-x.conf", "[station]\nquarantine = 50\n");
	write_file(t->run, "cfdfud.conf.d/50-x.conf", "[station]\nswitch-limit = 5\n");
	assert_int_equal(load(t)->quarantine, 3);
	assert_int_equal(t->settings->switch_limit, 5);
	write_file(t->etc, "cfdfud.conf.d/50-x.conf", "");
	assert_int_equal(load(t)->switch_limit, 16);
	(void)snprintf(path, sizeof(path), "%s/cfdfud.conf.d/50-x.conf", t->etc);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(load(t)->switch_limit, 16);
}

TEST_SET_UP(the_main_file_in_etc_hides_the_vendors)
{
	struct tree *t = *state;

	write_file(t->lib, "cfdfud.conf", "[station]\nquarantine = 1\n");
	assert_int_equal(load(t)->quarantine, 1);
	write_file(t->etc, "cfdfud.conf", "[station]\nswitch-limit = 2\n");
	assert_int_equal(load(t)->quarantine, 3);
	assert_int_equal(t->settings->switch_limit, 2);
}

TEST_SET_UP(an_empty_ports_line_forgets_the_ones_before)
{
	struct tree *t = *state;

	write_file(t->etc, "cfdfud.conf", "[station]\nports = 1-* 2-*\n");
	write_file(t->etc, "cfdfud.conf.d/a.conf", "[station]\nports =\nports = 7-1\n");
	assert_int_equal(load(t)->ports.count, 1);
	assert_string_equal(t->settings->ports.glob[0], "7-1");
}

static const struct {
	const char *text, *words;
} wrong[] = {
	{ "quarantine = 3\n", "/etc/cfdfud.conf:1: no [section] before this line" },
	{ "\n[stattion]\n", "/etc/cfdfud.conf:2: there is no section [stattion]" },
	{ "[station\n", "/etc/cfdfud.conf:1: \"]\" is missing" },
	{ "[device aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n",
	  ":1: the section's name is too long" },
	{ "[device aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nvid = 1\n",
	  ":2: a device's name is 1 to 31 characters long" },
	{ "[station]\n\nquarantaine = 3\n", ":3: there is no key \"quarantaine\" in [station]" },
	{ "[flash]\nports = 1-1\n", ":2: there is no key \"ports\" in [flash]" },
	{ "[station]\njust words\nnokey = 1\n", ":2: neither a [section] nor \"key = value\"" },
	{ "[station]\nkey ; = 3\nmax-active = 3\n", ":2: neither a [section] nor \"key = value\"" },
	{ "[station]\nadopt = always\n",
	  ":2: \"always\" is none of: never, known, recognised, port" },
	{ "[flash]\nlight = maybe\n", ":2: \"maybe\" is none of: no, yes" },
	{ "[station]\nlog-level = loud\n",
	  ":2: \"loud\" is none of: error, warning, notice, info, debug" },
	{ "[station]\nquarantine = -1\n", ":2: \"-1\" is not a number" },
	{ "[station]\nquarantine = 1001\n", ":2: \"1001\" is too large" },
	{ "[station]\nquarantine = 99999999999999999999\n",
	  ":2: \"99999999999999999999\" is too large" },
	{ "[station]\nquarantine = 3 times\n", ":2: \"3 times\" has an unknown unit" },
	{ "[station]\nmax-active = 0\n", ":2: \"0\" is too small" },
	{ "[station]\ndfu-timeout = 5 parsec\n", ":2: \"5 parsec\" has an unknown unit" },
	{ "[station]\nidle-exit = 18446744073709551615h\n",
	  ":2: \"18446744073709551615h\" is too large" },
	{ "[station]\nports = 1-4, /dev/sda\n",
	  ":2: \"/dev/sda\" is not a port path such as 1-4.2 (or a glob on one)" },
	{ "[station]\nports = 1-[\n", ":2: \"1-[\" has brackets that no port can match" },
	{ "[station]\nports = 1-[]*\n", ":2: \"1-[]*\" has brackets that no port can match" },
	{ "[station]\nports = !1-*\n", ":2: \"!1-*\" has brackets that no port can match" },
	{ "[station]\nports = 1-4]\n", ":2: \"1-4]\" has brackets that no port can match" },
	{ "[station]\nports = 4\n",
	  ":2: \"4\" is not a port path such as 1-4.2 (or a glob on one)" },
	{ "[station]\nports = 1-4.\n",
	  ":2: \"1-4.\" is not a port path such as 1-4.2 (or a glob on one)" },
	{ "[station]\nports = 1.4\n",
	  ":2: \"1.4\" is not a port path such as 1-4.2 (or a glob on one)" },
	{ "[station]\nports = 1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1\n",
	  ":2: a port is 1 to 31 characters long" },
	{ "[station]\ngroup =\n", ":2: a name is needed" },
	{ "[station]\ngroup = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	  ":2: longer than 31 characters" },
	{ "[slots]\nhere = A1\n",
	  ":2: \"here\" is not a port path such as 1-4.2 (or a glob on one)" },
	{ "[platforms]\n1-4 = cf3\n", ":2: \"cf3\" is not a platform" },
	{ "[platforms]\n1_4 = cf2\n", ":2: \"1_4\" is neither a port path nor a serial" },
	{ "[device x]\nvid = 12345\n", ":2: \"12345\" is not a hexadecimal number up to 0xFFFF" },
	{ "[device x]\nvid = 0483\n", ":2: [device x]: pid is missing" },
	{ "[device x]\npid = 0483\n", ":2: [device x]: vid is missing" },
	{ "[device x]\nmap-0 = @Flash/0x08000000/4*16Q\n", NULL },
	{ "[device x]\nmap-8 = as it says\n", ":2: maps are map-0 to map-7" },
	{ "[device x]\nmap = @Flash\n",
	  ":2: a map belongs to one alternate setting: map-0 to map-7" },
	{ "[device x]\nprotected = 0x0800\n", ":2: \"0x0800\" is not a range FIRST-LAST" },
	{ "[device x]\nprotected = 0x2-0x1\n", ":2: the range 0x0x2-0x1 ends before it begins" },
	{ "[device x]\nvid=1\npid=2\napplication-base=10\nprotected=0-20\n",
	  ": [device x]: application-base lies in a protected range" },
	{ "[device x]\nvid=1\npid=2\napplication-base=10\nmap-0=@F/0x08000000/04*016Kg\n",
	  ": [device x]: application-base lies outside of map-0" },
	{ "[device x]\nvid=1\npid=2\napplication-base=0\nprotected=0-20\n",
	  ": [device x]: application-base lies in a protected range" },
	{ "[device x]\nvid=1\npid=2\napplication-base=0\nmap-0=@F/0x08000000/04*016Kg\n",
	  ": [device x]: application-base lies outside of map-0" },
	{ "[station]\nadopt = n\x1B[1mever\n", ":2: a control character" },
};

TEST_SET_UP(every_error_is_named_with_file_and_line)
{
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (wrong[i].words != NULL) {
			expect_refused(t, wrong[i].text, wrong[i].words);
			continue;
		}
		write_file(t->etc, "cfdfud.conf", wrong[i].text);
		assert_int_equal(settings_load(NULL, t->dirs, &t->settings, t->error), -22);
		assert_non_null(strstr(t->error, "cfdfud.conf:2: memory map at character "));
	}
}

TEST_SET_UP(a_line_too_long_for_the_parser_is_refused_not_cut)
{
	struct tree *t = *state;
	char text[512] = "[station]\nports = ";

	for (int i = 0; i < 60; i++)
		strcat(text, "1-4 ");
	strcat(text, "\n");
	expect_refused(t, text, ":2: the line is longer than 199 characters");
}

TEST_SET_UP(limits_of_lists_hold)
{
	struct tree *t = *state;
	char *text = malloc(SETTINGS_RULES_MAX * 40 + 100);
	char *at = text + sprintf(text, "[station]\n");

	for (int i = 0; i <= SETTINGS_GLOBS_MAX; i++)
		at += sprintf(at, "ports = 1-%d\n", i + 1);
	expect_refused(t, text, ":66: more than 64 ports in one list");
	at = text + sprintf(text, "[slots]\n");
	for (int i = 0; i <= SETTINGS_LABELS_MAX; i++)
		at += sprintf(at, "1-%d = A\n", i + 1);
	expect_refused(t, text, ":258: more than 256 labels");
	at = text + sprintf(text, "[platforms]\n");
	for (int i = 0; i <= SETTINGS_RULES_MAX; i++)
		at += sprintf(at, "1-%d = cf2\n", i + 1);
	expect_refused(t, text, ":258: more than 256 platform rules");
	at = text;
	for (int i = 0; i <= SETTINGS_DEVICES_MAX; i++)
		at += sprintf(at, "[device d%d]\nvid = 1\npid = 2\n", i);
	expect_refused(t, text, ":50: more than 16 devices");
	at = text + sprintf(text, "[device d]\n");
	for (int i = 0; i <= DEVICE_RANGES_MAX; i++)
		at += sprintf(at, "protected = 0-1\n");
	expect_refused(t, text, ":10: more than 8 protected ranges");
	free(text);
}

TEST_SET_UP(files_that_cannot_be_read_are_refused)
{
	struct tree *t = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/cfdfud.conf", t->etc);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(settings_load(NULL, t->dirs, &t->settings, t->error), -22);
	assert_non_null(strstr(t->error, "not a regular file"));
	assert_int_equal(settings_load("/nonexistent/x.conf", NULL, &t->settings, t->error), -2);
	assert_string_equal(t->error,
			    "/nonexistent/x.conf: cannot be read: No such file or directory");
}

TEST_SET_UP(one_named_file_is_read_alone)
{
	struct tree *t = *state;
	char path[128];

	write_file(t->etc, "cfdfud.conf.d/10.conf", "[station]\nquarantine = 9\n");
	write_file(t->etc, "mine.conf", "[flash]\nbackup = yes\n");
	(void)snprintf(path, sizeof(path), "%s/mine.conf", t->etc);
	assert_int_equal(settings_load(path, NULL, &t->settings, t->error), 0);
	assert_true(t->settings->backup);
	assert_int_equal(t->settings->quarantine, 3);
}

static void
collect(void *ctx, const struct setting *s)
{
	const char *slash = strrchr(s->origin, '/');
	size_t used = strlen(ctx);

	(void)snprintf((char *)ctx + used, 4096 - used, "%s.%s=%s@%s\n", s->section, s->key,
		       s->value, slash != NULL ? slash + 1 : s->origin);
}

TEST_SET_UP(the_merged_view_shows_each_setting_with_its_origin)
{
	struct tree *t = *state;
	char text[4096] = "";

	write_file(t->etc, "cfdfud.conf",
		   "[slots]\n1-1 = A\n[station]\nports = 1-1\nquarantine = 4\n");
	write_file(t->etc, "cfdfud.conf.d/x.conf", "[station]\nports = 1-2\n[slots]\n1-2 = B\n");
	settings_each(load(t), collect, text);
	assert_non_null(strstr(text, "station.adopt=recognised@default\n"));
	assert_non_null(strstr(text, "station.quarantine=4@cfdfud.conf:5\n"));
	assert_null(strstr(text, "station.quarantine=3"));
	assert_null(strstr(text, "station.ports=@default"));
	assert_non_null(strstr(text, "station.ports=1-1@cfdfud.conf:4\n"));
	assert_non_null(strstr(text, "station.ports=1-2@x.conf:2\n"));
	assert_non_null(strstr(text, "slots.1-1=A@cfdfud.conf:2\nslots.1-2=B@x.conf:4\n"));
}

TEST_SET_UP(the_shipped_configuration_is_valid_and_changes_nothing)
{
	struct tree *t = *state;
	const char *source = getenv("srcdir");
	char path[512], text[8192] = "";

	(void)snprintf(path, sizeof(path), "%s/daemon/cfdfud.conf", source != NULL ? source : ".");
	assert_int_equal(settings_load(path, NULL, &t->settings, t->error), 0);
	settings_each(t->settings, collect, text);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_non_null(strstr(line, "@default"));
}

/* A file of daemon/, whole. */
static char *
read_shipped(const char *name)
{
	const char *source = getenv("srcdir");
	char path[512], *text = calloc(1, 65536);
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/daemon/%s", source != NULL ? source : ".", name);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	(void)fclose(f);
	return text;
}

/* The line stands between the section's head and the next one. */
static bool
is_in_section(const char *text, const char *head, const char *line)
{
	const char *from = strstr(text, head), *found, *end;

	if (from == NULL)
		return false;
	from += strlen(head);
	found = strstr(from, line);
	end = strstr(from, head[1] == '[' ? "\n[" : "\n.Sh ");
	return found != NULL && (end == NULL || found < end);
}

/* The "Default: VALUE" of the key's paragraph in the manual page; "all" for none. */
static bool
is_default_told(const char *manual, const char *item, const char *value)
{
	const char *from = strstr(manual, item);
	const char *at = from != NULL ? strstr(from, "\nDefault:") : NULL;
	size_t length;

	if (at == NULL)
		return false;
	at += strlen("\nDefault:");
	at += strspn(at, " \n");
	at += strncmp(at, ".Cm ", 4) == 0 ? 4 : 0;
	value = value[0] != '\0' ? value : "all";
	length = strlen(value);
	return strncmp(at, value, length) == 0 && strchr(" .,", at[length]) != NULL;
}

TEST(each_key_stands_in_the_manual_page_and_in_the_shipped_file_with_its_default)
{
	char *manual = read_shipped("cfdfud.conf.5"), *shipped = read_shipped("cfdfud.conf");
	const char *section, *key, *value;

	for (size_t i = 0; settings_default(i, &section, &key, &value); i++) {
		char head[64], line[128];

		(void)snprintf(head, sizeof(head), "\n.Cm [%s] :\n", section);
		(void)snprintf(line, sizeof(line), "\n.It Cm %s\n", key);
		if (!is_in_section(manual, head, line))
			fail_msg("cfdfud.conf.5 has no \".It Cm %s\" in [%s]", key, section);
		if (!is_default_told(strstr(manual, head), line, value))
			fail_msg("cfdfud.conf.5: %s: its default is \"%s\"", key, value);
		(void)snprintf(head, sizeof(head), "\n[%s]\n", section);
		(void)snprintf(line, sizeof(line), "\n;%s =%s%s\n", key,
			       value[0] != '\0' ? " " : "", value);
		if (!is_in_section(shipped, head, line))
			fail_msg("cfdfud.conf: [%s] has no line%s", section, line);
	}
	free(manual);
	free(shipped);
}

TEST_MAIN(NULL)
