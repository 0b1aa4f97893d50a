/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl firmware add: parses and judges with the user's rights, hands over one sealed DfuSe
 * file, and one more file for each part of a release that DFU mode does not carry.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "client/params.h"
#include "core/platform.h"

/* Of what comes by standard input without a file's name: its platform and version. */
static void
default_name(const struct firmware_file *d, const char *source, char *dst, size_t size)
{
	const struct image_label *label = image_label(d->image);
	char platforms[128], text[IMAGE_TEXT_MAX + 1];

	if (strcmp(d->path, "-") != 0 || strcmp(source, d->source_name) != 0) {
		image_name_of_file(source, dst, size);
		return;
	}
	firmware_platforms_text(d->judgement.platforms, platforms, sizeof(platforms));
	platforms[strcspn(platforms, ",")] = '\0';
	/* WHY the dot: the text behind the last dot is taken for the kind of file. */
	snprintf(text, sizeof(text), "%.24s%s%s.", platforms, label->version[0] != '\0' ? "-" : "",
		 label->version);
	image_name_of_file(text, dst, size);
}

static int
check_name(const struct invocation *i)
{
	const char *name = invocation_value(i, "name");

	if (i->arg_count > 1 && (name != NULL || invocation_has(i, "source")))
		return usage_error(i->command, "--%s is for one file, not for %d",
				   name != NULL ? "name" : "source", i->arg_count);
	if (name == NULL || image_name_is_fine(name))
		return 0;
	return usage_error(i->command,
			   "--name is 1 to %d letters, digits, signs (no \"/\") and blanks, does "
			   "not begin with \"-\", and neither begins nor ends with a blank",
			   IMAGE_TEXT_MAX - 1);
}

static void
set_notes(struct params *p, const struct fw_facts *facts)
{
	char copies[FW_WARNINGS_MAX][FW_WARNING_TEXT_MAX], *notes[FW_WARNINGS_MAX];

	for (size_t i = 0; i < facts->warning_count; i++) {
		copy_text(copies[i], sizeof(copies[i]), facts->warnings[i]);
		notes[i] = copies[i];
	}
	params_texts(p, "notes", notes, (int)facts->warning_count);
}

static struct params
make_parameters(const struct invocation *i, const struct firmware_file *d)
{
	struct invocation named = *i;
	enum platform manifest = d->facts->release.platform;
	const char *source = invocation_value(i, "source");
	const char *version = image_label(d->image)->version;
	char name[IMAGE_TEXT_MAX];
	struct params p;

	if (source == NULL)
		source = d->source_name;
	default_name(d, source, name, sizeof(name));
	if (!invocation_has(i, "name"))
		invocation_set(&named, "name", name);
	p = params_of(&named);
	params_text(&p, "manifest", manifest != PLATFORM_UNKNOWN ? platform_name(manifest) : NULL);
	params_text(&p, "source_name", source);
	params_text(&p, "source_sha256", d->source_sha256);
	params_text(&p, "version", version[0] != '\0' ? version : NULL);
	set_notes(&p, d->facts);
	return p;
}

/* Characters that a shell takes as they are. */
static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";

static void
print_added(const struct session *s, const struct firmware_file *d, const json_t *reply)
{
	const json_t *row = json_object_get(reply, "firmware");
	struct text name = out_text(row, "name");
	const char *quote;

	if (s->json) {
		out_json(reply);
		return;
	}
	firmware_page_print(s, d);
	printf("Stored as \"%s\"%s%s.  ", name.s,
	       out_string(row, "signer") != NULL ? ", signed by " : "", out_text(row, "signer").s);
	if (json_array_size(json_object_get(row, "selected_for")) > 0 ||
	    json_array_size(json_object_get(row, "own")) > 0) {
		puts("It is selected: 'cfdfuctl plan' shows for which drones.");
		return;
	}
	quote = strspn(name.s, fine) == strlen(name.s) ? "" : "'";
	printf("To flash it: cfdfuctl firmware select %s%s%s\n", quote, name.s, quote);
}

static int
add_here(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	struct params p = make_parameters(i, d);
	json_t *reply = NULL;
	int r = firmware_file_send(s, d, i->command->method, &p, &reply);

	if (r == 0) {
		r = firmware_file_send_parts(s, d, reply);
		print_added(s, d, reply);
	}
	json_decref(reply);
	return r;
}

static int
add_there(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	struct invocation there = *i;
	char input[] = "-", *args[] = { input };

	there.args = args;
	there.arg_count = 1;
	return firmware_file_send_on(s, d, &there);
}

static int
add_one(const struct session *s, const struct invocation *i, const char *path)
{
	struct firmware_options wanted = { .addr = FW_ADDR_DEFAULT };
	struct firmware_file d;
	int r = firmware_file_options(i, &wanted);

	if (r == 0)
		r = firmware_file_open(s, path, &wanted, &d);
	if (r != 0)
		return r;
	d.incomplete = invocation_has(i, "incomplete");
	if (wanted.addr == FW_ADDR_DEFAULT)
		r = firmware_file_read_signature(s, i, &d);
	if (r == 0)
		r = firmware_file_judge(&d, false);
	if (r == 0 && !d.judgement.accepted)
		r = firmware_file_refuse(s, &d);
	if (r == 0)
		r = s->host != NULL ? add_there(s, i, &d) : add_here(s, i, &d);
	firmware_file_close(&d);
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	int r = check_name(i);

	return r == 0 ? firmware_file_each(s, i, add_one) : r;
}

const struct command_desc cmd_firmware_add = {
	.name = "firmware add",
	.args = "FILE|-...",
	.args_min = 1,
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("judge images and store them"),
	.run = run,
	.method = PROTO_METHOD("AddFirmware"),
	.parameters = {
		{ "name", "name" },
		{ "platform", "platform" },
		{ "incomplete", "incomplete", PARAMETER_SWITCH },
	},
	.options = {
		{ "name", 0, "N", N_("name in the catalogue (default: the file's)") },
		{ "platform", 0, "P", N_("what it is for, where the image does not say") },
		{ "address", 0, "A", N_("where a plain binary begins (default 0x08004000)") },
		{ "application", 0, NULL, N_("the application alone of a copy of the flash") },
		{ "incomplete", 0, NULL, N_("also an image that nothing shows to be whole") },
		{ "signature", 0, "TEXT", N_("signature of what comes by standard input") },
		{ "source", 0, "NAME", N_("file name to record for what comes by standard input") },
	},
};
