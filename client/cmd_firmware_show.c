/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl firmware show, check: what is in the catalogue, or in a file, and what the judge says.
 */
#include "config.h"

#include <stdio.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/fields.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "wire/text.h"

static const struct field version_fields[] = {
	{ "version", N_("version"), FIELD_TEXT },
	{ "revision", N_("revision"), FIELD_TEXT },
	{ NULL },
};

static const struct field firmware_fields[] = {
	{ "platforms", N_("platforms"), FIELD_TEXTS },
	{ "bytes", N_("size"), FIELD_BYTES },
	{ "sha256", N_("sha256"), FIELD_TEXT },
	{ "source_name", N_("from file"), FIELD_TEXT },
	{ "source_sha256", N_("its sha256"), FIELD_TEXT },
	{ "signer", N_("signed by"), FIELD_TEXT },
	{ "added_at", N_("added"), FIELD_TIME },
	{ "added_by", N_("by"), FIELD_TEXT },
	{ "selected_for", N_("selected for"), FIELD_TEXTS },
	{ "own", N_("own image of"), FIELD_TEXTS },
	{ "quarantined_why", N_("SET ASIDE"), FIELD_TEXT },
	{ "notes", N_("notes"), FIELD_TEXTS },
	{ "problem", N_("NOT USABLE"), FIELD_TEXT },
	{ NULL },
};

static void
print_elements(const json_t *elements)
{
	const json_t *e;
	size_t i;

	json_array_foreach(elements, i, e) {
		unsigned long long addr = (unsigned long long)out_int(e, "address");
		struct text name = out_text(e, "target_name");
		char bytes[32];

		format_number(bytes, sizeof(bytes), out_int(e, "bytes"));
		printf("  %-12s target %lld%s%s at 0x%08llx, %s bytes\n", i == 0 ? "elements" : "",
		       (long long)out_int(e, "target"), name.s[0] != '\0' ? " " : "", name.s, addr,
		       bytes);
	}
}

static int
print_firmware(const struct session *s, const json_t *reply)
{
	const json_t *f = json_object_get(reply, "firmware");

	(void)s;
	puts(out_text(f, "name").s);
	fields_print(f, version_fields, 12);
	if (out_true(f, "incomplete"))
		printf("  %-12s nothing shows that it is whole: added with --incomplete\n",
		       "incomplete");
	fields_print(f, firmware_fields, 12);
	print_elements(json_object_get(reply, "elements"));
	firmware_parts_print(json_object_get(f, "parts"), 13);
	return EXIT_OK;
}

static void
print_container(const struct firmware_file *d)
{
	const struct fw_facts *f = d->facts;

	printf("%s: %s\n", d->source_name, fw_format_words(f->format));
	if (f->suffix)
		printf("  for USB device %04x:%04x, version %04x\n", f->vid, f->pid, f->device);
	if (f->header[0] != '\0') {
		struct text header;

		text_copy(&header, f->header);
		printf("  header \"%s\"\n", header.s);
	}
	if (f->start_given)
		printf("  start address 0x%08lx (not used)\n", (unsigned long)f->start);
	firmware_elements_print(f);
	for (size_t i = 0; i < f->warning_count; i++)
		printf("  note: %s\n", f->warnings[i]);
}

/* The elements of a file, not judged: it may be for any device. */
static int
show_file(const struct session *s, const struct invocation *i)
{
	const struct firmware_options wanted = { .addr = FW_ADDR_DEFAULT, .any_ids = true };
	struct firmware_file d;
	int r = firmware_file_open(s, i->args[0], &wanted, &d);

	if (r != 0)
		return r;
	if (!s->json) {
		print_container(&d);
	} else {
		out_json_new(json_pack("{s:s,s:o,s:s,s:o}", "format",
				       fw_format_name(d.facts->format), "source_name",
				       text_json(d.source_name), "source_sha256", d.source_sha256,
				       "elements", firmware_elements_json(d.facts)));
	}
	firmware_file_close(&d);
	return EXIT_OK;
}

static int
run_show(const struct session *s, const struct invocation *i)
{
	return invocation_has(i, "elements") ? show_file(s, i) : conn_run(s, i);
}

static int
check_one(const struct session *s, const struct invocation *i, const char *path)
{
	bool loader = invocation_has(i, "loader");
	struct firmware_options wanted = { .addr =
					       loader ? CRAZYFLIE_LOADER_ADDR : FW_ADDR_DEFAULT };
	struct firmware_file d;
	int r = firmware_file_options(i, &wanted);

	if (r == 0 && loader && wanted.application)
		r = usage_error(i->command, "either --loader or --application, not both");
	if (r == 0)
		r = firmware_file_open(s, path, &wanted, &d);
	if (r != 0)
		return r;
	d.incomplete = invocation_has(i, "incomplete");
	r = firmware_file_judge(&d, loader);
	if (r == 0 && s->json) {
		out_json_new(firmware_page_json(&d));
	} else if (r == 0) {
		firmware_page_print(s, &d);
		if (!loader)
			firmware_devices_print(&d);
	}
	if (r == 0 && !d.judgement.accepted)
		r = EXIT_REFUSED;
	firmware_file_close(&d);
	return r;
}

static int
run_check(const struct session *s, const struct invocation *i)
{
	return firmware_file_each(s, i, check_one);
}

const struct command_desc cmd_firmware_show = {
	.name = "firmware show",
	.args = "NAME|--elements FILE",
	.args_min = 1,
	.args_max = 1,
	.help = N_("one image of the catalogue; or what a file holds"),
	.run = run_show,
	.method = PROTO_METHOD("GetFirmware"),
	.parameters = { { "name" } },
	.print = print_firmware,
	.options = { { "elements", 0, NULL,
		       N_("targets and elements of a file, for any device") } },
};

const struct command_desc cmd_firmware_check = {
	.stations = STATIONS_ONE,
	.name = "firmware check",
	.args = "FILE|-...",
	.args_min = 1,
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("judge files; needs no daemon"),
	.run = run_check,
	.options = {
		{ "platform", 0, "P", N_("what it is for, where the image does not say") },
		{ "address", 0, "A", N_("where a plain binary begins (default 0x08004000)") },
		{ "application", 0, NULL, N_("the application alone of a copy of the flash") },
		{ "incomplete", 0, NULL, N_("also an image that nothing shows to be whole") },
		{ "loader", 0, NULL, N_("as a boot loader for recover-loader") },
	},
};
