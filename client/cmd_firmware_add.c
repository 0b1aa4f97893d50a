/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl firmware add: parses and judges with the user's rights, hands over one sealed DfuSe
 * file.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/firmware_file.h"
#include "client/file.h"
#include "client/out.h"
#include "client/params.h"
#include "client/remote.h"
#include "core/image.h"
#include "core/platform.h"
#include "firmware/fw_make.h"

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
	/* WHY the dot: what is behind the last one is taken for the kind of file. */
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

static int
set_notes(json_t *parameters, const struct fw_facts *facts)
{
	char *notes[FW_WARNINGS_MAX];
	char copies[FW_WARNINGS_MAX][FW_WARNING_TEXT_MAX];

	for (size_t i = 0; i < facts->warning_count; i++) {
		copy_text(copies[i], sizeof(copies[i]), facts->warnings[i]);
		notes[i] = copies[i];
	}
	return params_texts(parameters, "notes", notes, (int)facts->warning_count);
}

static int
set_parameters(json_t *parameters, const struct invocation *i, const struct firmware_file *d)
{
	enum platform manifest = d->facts->release.platform;
	const char *source = invocation_value(i, "source"), *name = invocation_value(i, "name");
	char fallback[IMAGE_TEXT_MAX];
	int r;

	if (source == NULL)
		source = d->source_name;
	default_name(d, source, fallback, sizeof(fallback));
	r = params_text(parameters, "name", name != NULL ? name : fallback);
	if (r == 0)
		r = params_option(parameters, "platform", i, "platform");
	if (r == 0)
		r = params_switch(parameters, "incomplete", i, "incomplete");
	if (r == 0 && manifest != PLATFORM_UNKNOWN)
		r = params_text(parameters, "manifest", platform_name(manifest));
	if (r == 0)
		r = params_text(parameters, "source_name", source);
	if (r == 0)
		r = params_text(parameters, "source_sha256", d->source_sha256);
	if (r == 0 && image_label(d->image)->version[0] != '\0')
		r = params_text(parameters, "version", image_label(d->image)->version);
	return r == 0 ? set_notes(parameters, d->facts) : r;
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
	printf("Stored as \"%s\".  ", name.s);
	if (json_array_size(json_object_get(row, "selected_for")) > 0 ||
	    json_array_size(json_object_get(row, "own")) > 0) {
		puts("It is selected: 'cfdfuctl plan' shows for which drones.");
		return;
	}
	quote = strspn(name.s, fine) == strlen(name.s) ? "" : "'";
	printf("To flash it: cfdfuctl firmware select %s%s%s\n", quote, name.s, quote);
}

/* Here: the image as a sealed file, then the call. */
static int
add_here(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	json_t *parameters = json_object(), *reply = NULL;
	struct conn *c = NULL;
	uint8_t *file = NULL;
	size_t bytes = 0;
	int fd = -1, r = set_parameters(parameters, i, d);

	if (r == 0 && fw_make_from_image(d->image, &file, &bytes) < 0) {
		say_error("out of memory");
		r = EXIT_REFUSED;
	}
	if (r == 0)
		r = file_seal(file, bytes, &fd);
	if (r == 0)
		r = conn_open(s, &c);
	if (r == 0)
		r = conn_call(c, PROTO_METHOD("AddFirmware"), json_incref(parameters), fd, &reply);
	if (r == 0)
		print_added(s, d, reply);
	if (fd >= 0)
		(void)close(fd); /* WHY: the service has its own by now */
	free(file);
	conn_close(c);
	json_decref(reply);
	json_decref(parameters);
	return r;
}

/* There: descriptors cannot cross ssh, so the file itself goes to a cfdfuctl on that machine. */
static int
add_there(const struct session *s, const struct invocation *i, const struct firmware_file *d)
{
	static const char *const options[] = { "name", "platform", "address" };
	static const char *const flags[] = { "--name", "--platform", "--address" };
	const char *words[16] = { "firmware", "add" };
	size_t n = 2;
	int fd = -1, r;

	for (size_t o = 0; o < ARRAY_LEN(options); o++)
		if (invocation_has(i, options[o])) {
			words[n++] = flags[o];
			words[n++] = invocation_value(i, options[o]);
		}
	if (invocation_has(i, "application"))
		words[n++] = "--application";
	if (d->incomplete)
		words[n++] = "--incomplete";
	words[n++] = "--source";
	words[n++] = invocation_has(i, "source") ? invocation_value(i, "source") : d->source_name;
	words[n++] = "--";
	words[n++] = "-";
	words[n] = NULL;
	r = file_seal(d->data, d->bytes, &fd);
	if (r == 0)
		r = remote_run(s, words, fd, -1);
	if (fd >= 0)
		(void)close(fd);
	return r;
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
	.help = "judge images and store them",
	.run = run,
	.options = {
		{ "name", 0, "N", "name in the catalogue (default: the file's)" },
		{ "platform", 0, "P", "what it is for, where the image does not say" },
		{ "address", 0, "A", "where a plain binary begins (default 0x08004000)" },
		{ "application", 0, NULL, "of a copy of the whole flash, the application alone" },
		{ "incomplete", 0, NULL, "also an image that nothing shows to be whole" },
		{ "source", 0, "NAME", "file name to record for what comes by standard input" },
	},
};
