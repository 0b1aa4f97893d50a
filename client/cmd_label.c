/* SPDX-License-Identifier: MIT */
/* cfdfuctl label: the text of a label for a drone, from a template; printers take it as it is. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/slots.h"

#define TEMPLATE_BYTES_MAX 16384

/* SPEC: ZPL II: ^CI28 is UTF-8; after ^FH, _XX is a byte in hex; ^BQ a QR code, MA its mode. */
static const char zpl_template[] = "^XA^CI28\n"
				   "^FO30,30^A0N,60,60^FH^FD{name}^FS\n"
				   "^FO30,105^A0N,30,30^FH^FD{serial}^FS\n"
				   "^FO30,145^A0N,30,30^FH^FD{address} {channel}^FS\n"
				   "^FO30,185^A0N,30,30^FH^FD{version} {date}^FS\n"
				   "^FO480,20^BQN,2,6^FH^FDMA,{serial}^FS\n"
				   "^XZ\n";
/* WHY the serial alone: a scanner types it, and every command takes it. */
static const char qr_template[] = "{serial}\n";

/* The values that the records have; its slot is where it is, or was last. */
static json_t *
values_of(const json_t *reply)
{
	const json_t *drone = json_object_get(reply, "drone"), *a;
	const json_t *attempts = json_object_get(reply, "attempts");
	const json_t *last = json_array_get(attempts, 0), *radio = json_object_get(drone, "radio");
	const char *port = out_string(drone, "port"), *ended = out_string(last, "ended_at");
	struct text label = { "" };
	char channel[16] = "", date[48] = "";
	size_t i;

	if (port == NULL)
		port = out_string(last, "port") != NULL ? out_string(last, "port") : "";
	json_array_foreach(attempts, i, a)
		if (label.s[0] == '\0' && out_is(a, "port", port))
			label = out_text(a, "label");
	if (ended != NULL)
		format_time(date, sizeof(date), ended);
	date[strcspn(date, " ")] = '\0';
	if (out_is_int(radio, "channel"))
		snprintf(channel, sizeof(channel), "%lld", (long long)out_int(radio, "channel"));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
			 out_text(drone, "name").s, "serial", slot_serial(drone), "label", label.s,
			 "port", port, "address", out_text(radio, "address").s, "channel", channel,
			 "version", out_text(drone, "last_version").s, "batch",
			 out_text(last, "batch").s, "date", date);
}

/* WHY: a drone's name or serial is no command to a printer. */
static void
put_value(FILE *out, const char *text, bool zpl)
{
	for (; *text != '\0'; text++)
		if (zpl && strchr("^~_\\", *text) != NULL)
			fprintf(out, "_%02X", (unsigned char)*text);
		else
			fputc(*text, out);
}

/* Other braces stay as they are.  0 or an exit status. */
static int
expand(FILE *out, const char *template, const json_t *values, bool zpl)
{
	for (const char *t = template; *t != '\0'; t++) {
		size_t length = *t == '{' ? strspn(t + 1, "abcdefghijklmnopqrstuvwxyz") : 0;
		char name[16];

		if (length == 0 || t[length + 1] != '}') {
			fputc(*t, out);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)length, t + 1);
		if (json_object_get(values, name) == NULL) {
			say_error("the template has {%s}; there are {name} {serial} {label} {port} "
				  "{address} {channel} {version} {batch} {date}",
				  name);
			return EXIT_USAGE;
		}
		put_value(out, out_text(values, name).s, zpl);
		t += length + 1;
	}
	return 0;
}

static int
print_label(const struct session *s, const char *which, const char *template, bool zpl)
{
	struct params p = params_new();
	json_t *reply = NULL, *values;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	int r;

	params_text(&p, "serial", which);
	r = conn_ask(s, PROTO_METHOD("GetDrone"), &p, &reply);
	values = values_of(reply);
	if (r == 0)
		r = out != NULL ? expand(out, template, values, zpl) : say_no_memory();
	if (out != NULL && fclose(out) != 0)
		r = say_no_memory();
	if (r == 0 && s->json)
		out_json_new(json_pack("{s:O, s:s}", "values", values, "text", text));
	else if (r == 0)
		fputs(text, stdout);
	free(text);
	json_decref(values);
	json_decref(reply);
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	const char *path = invocation_value(i, "template");
	struct params p = params_of(i);
	bool qr = out_is(p.object, "format", "qr");
	char why[FILE_WHY_MAX], template[TEMPLATE_BYTES_MAX + 1];
	uint8_t *data = NULL;
	size_t bytes = 0;
	int r = p.status;

	params_done(&p);
	copy_text(template, sizeof(template), qr ? qr_template : zpl_template);
	if (r == 0 && path != NULL) {
		r = file_read(path, TEMPLATE_BYTES_MAX, &data, &bytes, why);
		if (r != 0)
			say_error("%s: %s", path, why);
		else
			snprintf(template, sizeof(template), "%.*s", (int)bytes,
				 (const char *)data);
		free(data);
	}
	for (int n = 0; r == 0 && n < i->arg_count; n++)
		r = print_label(s, i->args[n], template, !qr);
	return r;
}

static const char *const formats[] = { "zpl", "qr", NULL };

const struct command_desc cmd_label = {
	.name = "label",
	.stations = STATIONS_ONE,
	.args = "WHICH...",
	.args_min = 1,
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("print the text of a label, for a label printer or a QR code"),
	.run = run,
	.parameters = { { "format", "format", PARAMETER_WORD, .words = formats } },
	.options = {
		{ "format", 'f', "WORD", N_("zpl (default), or qr: the text for a QR code") },
		{ "template", 't', "FILE", N_("text of your own with {name}, {serial}, ...") },
	},
};
