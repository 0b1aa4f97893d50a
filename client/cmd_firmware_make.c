/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl firmware make: what ST's DFU File Manager does, from any format that we read.
 * firmware extract: the way back, the elements of a file as plain binaries.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/commands.h"
#include "client/file.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "firmware/fw.h"
#include "firmware/fw_make.h"
#include "wire/text.h"

#define INPUTS_MAX 32
#define PATH_TEXT_MAX 4096

/* INPUT[@ADDRESS][:TARGET[=NAME]] */
struct input {
	char path[PATH_TEXT_MAX];
	uint32_t addr;
	bool targeted;
	uint8_t alt;
	const char *name; /* NULL: as the file has it */
	struct firmware_file file;
};

struct make {
	struct input inputs[INPUTS_MAX];
	size_t input_count;
	struct fw_make_target targets[IMAGE_TARGETS_MAX];
	struct segment segments[IMAGE_SEGMENTS_MAX]; /* grouped by target */
	size_t target_count, segment_count;
};

/* ":1=SPI flash" at the end; cuts it off. */
static bool
split_target(struct input *in)
{
	char *colon = in->path;

	while ((colon = strchr(colon, ':')) != NULL) {
		size_t digits = strspn(colon + 1, "0123456789");
		char *after = colon + 1 + digits;

		if (digits > 0 && (*after == '\0' || *after == '=')) {
			uint64_t alt = 0;

			in->name = *after == '=' ? after + 1 : NULL;
			*after = '\0';
			*colon = '\0';
			in->targeted = true;
			if (!number_parse(colon + 1, UINT8_MAX, &alt))
				return false;
			in->alt = (uint8_t)alt;
			return true;
		}
		colon++;
	}
	return true;
}

static bool
parse_input(const char *text, struct input *in)
{
	char *at;

	in->addr = FW_ADDR_DEFAULT;
	if (strlen(text) >= sizeof(in->path))
		return false;
	copy_text(in->path, sizeof(in->path), text);
	if (!split_target(in))
		return false;
	at = strrchr(in->path, '@');
	if (at != NULL) {
		uint64_t addr = 0;

		if (!number_parse(at + 1, UINT32_MAX, &addr))
			return true; /* WHY: a name may have an '@' of its own */
		*at = '\0';
		in->addr = (uint32_t)addr;
	}
	return in->path[0] != '\0';
}

/* The target of this number, made when it is new; NULL when there are too many. */
static struct fw_make_target *
find_target(struct make *m, uint8_t alt)
{
	for (size_t t = 0; t < m->target_count; t++)
		if (m->targets[t].alt == alt)
			return &m->targets[t];
	if (m->target_count == IMAGE_TARGETS_MAX)
		return NULL;
	m->targets[m->target_count] = (struct fw_make_target){ .alt = alt };
	return &m->targets[m->target_count++];
}

static const char *
name_in_file(const struct input *in, uint8_t alt)
{
	const struct fw_facts *f = in->file.facts;

	for (size_t t = 0; t < f->target_count; t++)
		if (f->targets[t].alt == alt && f->targets[t].named)
			return f->targets[t].name;
	return NULL;
}

/* Puts an element behind the others of its target.  False: there are too many. */
static bool
add_element(struct make *m, const struct input *in, struct segment s)
{
	const char *name = in->targeted && in->name != NULL ? in->name : name_in_file(in, s.alt);
	struct fw_make_target *t;
	size_t at = 0;

	if (in->targeted)
		s.alt = in->alt;
	t = find_target(m, s.alt);
	if (t == NULL || m->segment_count == IMAGE_SEGMENTS_MAX)
		return false;
	if (t->name == NULL)
		t->name = name;
	for (const struct fw_make_target *before = m->targets; before <= t; before++)
		at += before->element_count;
	memmove(&m->segments[at + 1], &m->segments[at], (m->segment_count - at) * sizeof(s));
	m->segments[at] = s;
	m->segment_count++;
	t->element_count++;
	return true;
}

/* The elements of all inputs, target by target, in the order of the inputs. */
static int
take_elements(struct make *m)
{
	const struct segment *s = m->segments;

	for (const struct input *in = m->inputs; in < m->inputs + m->input_count; in++)
		for (size_t n = 0; n < image_segment_count(in->file.image); n++)
			if (!add_element(m, in, *image_segment(in->file.image, n))) {
				say_error("too many targets or elements for one file");
				return EXIT_REFUSED;
			}
	for (size_t t = 0; t < m->target_count; s += m->targets[t++].element_count)
		m->targets[t].elements = s;
	return 0;
}

static int
load(const struct session *s, const struct invocation *i, struct make *m)
{
	for (int n = 1; n < i->arg_count; n++) {
		struct input *in = &m->inputs[n - 1];
		struct firmware_options wanted = { .any_ids = true };
		int r;

		if (!parse_input(i->args[n], in))
			return usage_error(i->command, "not INPUT[@ADDRESS][:TARGET[=NAME]]: %s",
					   i->args[n]);
		wanted.addr = in->addr;
		r = firmware_file_open(s, in->path, &wanted, &in->file);
		if (r != 0)
			return r;
		if (!s->json)
			firmware_file_say_notes(&in->file);
		m->input_count++;
	}
	return 0;
}

/* WHY through image_new(): it knows what overlaps and what is too much. */
static int
check_overlaps(const struct make *m)
{
	struct image_label label = { .name = "" };
	struct image *image = NULL;
	int r = image_new(m->segments, m->segment_count, &label, &image);

	image_unref(image);
	if (r == 0)
		return 0;
	if (r == -ENOMEM)
		return say_no_memory();
	say_error(r == -E2BIG ? N_("too much for one file")
			      : N_("two inputs overlap within one target"));
	return EXIT_REFUSED;
}

/* As lsusb, dfu-suffix and cfdfud.conf write them: hexadecimal, with 0x or without. */
static int
set_id(const struct invocation *i, const char *option, uint16_t *id)
{
	const char *text = invocation_value(i, option);
	unsigned long v;
	char *end;

	if (text == NULL)
		return 0;
	v = strtoul(text, &end, 16);
	if (strchr("0123456789abcdefABCDEF", text[0]) == NULL || end == text || *end != '\0' ||
	    v > UINT16_MAX)
		return usage_error(i->command,
				   "--%s is a hexadecimal number up to ffff, not \"%s\"", option,
				   text);
	*id = (uint16_t)v;
	return 0;
}

/* The ids of the options, else of the first input that has a suffix, else ST's. */
static int
set_ids(const struct invocation *i, const struct make *m, struct fw_make_file *file)
{
	int r;

	file->vid = FW_MAKE_VID;
	file->pid = FW_MAKE_PID;
	file->device = FW_MAKE_DEVICE;
	for (size_t n = 0; n < m->input_count; n++) {
		const struct fw_facts *f = m->inputs[n].file.facts;

		if (!f->suffix)
			continue;
		file->vid = f->vid;
		file->pid = f->pid;
		file->device = f->device;
		break;
	}
	r = set_id(i, "vid", &file->vid);
	if (r == 0)
		r = set_id(i, "pid", &file->pid);
	return r == 0 ? set_id(i, "device", &file->device) : r;
}

/* One DfuSe file in which nothing is to be changed: its bytes stay what they are. */
static bool
is_copy(const struct invocation *i, const struct make *m)
{
	const struct input *in = &m->inputs[0];

	return m->input_count == 1 && !in->targeted && in->file.facts->format == FW_DFUSE &&
	       !in->file.facts->altered && !invocation_has(i, "vid") && !invocation_has(i, "pid") &&
	       !invocation_has(i, "device");
}

static int
make_bytes(const struct invocation *i, const struct make *m, uint8_t **ret_bytes, size_t *ret_count)
{
	struct fw_make_file file = { .targets = m->targets, .target_count = m->target_count };
	const struct firmware_file *d = &m->inputs[0].file;
	int r = set_ids(i, m, &file);

	if (r != 0)
		return r;
	r = is_copy(i, m) ? fw_make_again(d->image, d->facts, ret_bytes, ret_count)
			  : fw_make(&file, ret_bytes, ret_count);
	if (r == 0)
		return 0;
	if (r == -ENOMEM)
		return say_no_memory();
	say_error("the file cannot be made of these inputs");
	return EXIT_REFUSED;
}

/*
 * Reads what was made as the station will, and says what a Crazyflie's judge has against it when it
 * begins where only a Crazyflie's firmware does; "" when nothing.
 */
static int
judge_made(const uint8_t *bytes, size_t count, char *objection, size_t size)
{
	struct fw_input in = { .data = bytes, .size = count, .any_ids = true };
	struct fw_error error = { .offset = 0 };
	struct judgement *j = malloc(sizeof(*j));
	struct image *image = NULL;
	int r = j != NULL ? fw_dfuse_load(&in, &image, NULL, &error) : -ENOMEM;

	objection[0] = '\0';
	if (r == 0 && image_segment(image, image_segment_count(image) - 1)->alt == 0 &&
	    image_segment(image, 0)->addr == CRAZYFLIE_APP_ADDR)
		r = judge_image(image, NULL, j);
	else if (r == 0)
		j->accepted = true;
	if (r == 0 && !j->accepted)
		copy_text(objection, size, judge_reason(j));
	if (r < 0)
		say_error("what was made cannot be read back: %s",
			  r == -ENOMEM ? "out of memory" : error.text);
	image_unref(image);
	free(j);
	return r == 0 ? 0 : EXIT_REFUSED;
}

static json_t *
made_json(const char *path, size_t count, const struct make *m, const char *objection)
{
	json_t *notes = json_array();

	for (size_t n = 0; n < m->input_count; n++) {
		json_t *some = firmware_notes_json(m->inputs[n].file.facts);

		(void)json_array_extend(notes, some);
		json_decref(some);
	}
	return json_pack("{s:o,s:I,s:I,s:I,s:o,s:o}", "file", text_json(path), "bytes",
			 (json_int_t)count, "targets", (json_int_t)m->target_count, "elements",
			 (json_int_t)m->segment_count, "notes", notes, "objection",
			 objection[0] != '\0' ? text_json(objection) : json_null());
}

static int
write_file(const struct session *s, const struct invocation *i, struct make *m)
{
	const char *path = i->args[0];
	char objection[JUDGE_TEXT_MAX] = "";
	uint8_t *bytes = NULL;
	size_t count = 0;
	int r = make_bytes(i, m, &bytes, &count);

	if (r == 0)
		r = judge_made(bytes, count, objection, sizeof(objection));
	if (r == 0)
		r = file_write(path, bytes, count);
	if (r == 0 && objection[0] != '\0' && !s->json)
		say_note("%s: a Crazyflie's station would refuse it: %s", path, objection);
	if (r == 0 && s->json) {
		out_json_new(made_json(path, count, m, objection));
	} else if (r == 0 && strcmp(path, "-") != 0) {
		printf("%s: %zu bytes, %zu target%s, %zu element%s\n", path, count, m->target_count,
		       m->target_count == 1 ? "" : "s", m->segment_count,
		       m->segment_count == 1 ? "" : "s");
	}
	free(bytes);
	return r;
}

static int
run_make(const struct session *s, const struct invocation *i)
{
	struct make *m = calloc(1, sizeof(*m));
	int r;

	if (m == NULL)
		return say_no_memory();
	r = load(s, i, m);
	if (r == 0)
		r = take_elements(m);
	if (r == 0)
		r = check_overlaps(m);
	if (r == 0)
		r = write_file(s, i, m);
	for (size_t n = 0; n < m->input_count; n++)
		firmware_file_close(&m->inputs[n].file);
	free(m);
	return r;
}

const struct command_desc cmd_firmware_make = {
	.name = "firmware make",
	.stations = STATIONS_ONE,
	.args = "OUT.dfu INPUT[@ADDRESS][:TARGET[=NAME]]...",
	.args_min = 2,
	.args_max = 1 + INPUTS_MAX,
	.help = N_("a DfuSe file of HEX, S-record, binary or other files; needs no daemon"),
	.run = run_make,
	.options = {
		{ "vid", 0, "N", N_("USB vendor of the device, in hexadecimal (default 0483)") },
		{ "pid", 0, "N", N_("USB product of the device, in hexadecimal (default df11)") },
		{ "device", 0, "N", N_("version of the device, in hexadecimal (default 0000)") },
	},
};

/* DIR/STEM-target0-08004000.bin */
static bool
make_path(const struct firmware_file *d, const char *dir, const struct segment *seg, char *dst,
	  size_t size)
{
	const char *base = file_base_name(d->path), *dot = strrchr(base, '.');
	int stem = dot != NULL && dot > base ? (int)(dot - base) : (int)strlen(base);

	if (strcmp(d->path, "-") == 0) {
		base = "stdin";
		stem = 5;
	}
	return snprintf(dst, size, "%s/%.*s-target%u-%08lx.bin", dir, stem, base, seg->alt,
			(unsigned long)seg->addr) < (int)size;
}

static int
extract(const struct session *s, const struct firmware_file *d, const char *dir,
	const struct segment *seg)
{
	char path[PATH_TEXT_MAX], bytes[32];
	int r;

	if (!make_path(d, dir, seg, path, sizeof(path))) {
		say_error("%s: too long a path", dir);
		return EXIT_REFUSED;
	}
	r = file_write(path, seg->data, seg->size);
	if (r != 0)
		return r;
	if (s->json) {
		out_json_new(json_pack("{s:o,s:i,s:I,s:I,s:o}", "file", text_json(path), "target",
				       seg->alt, "address", (json_int_t)seg->addr, "bytes",
				       (json_int_t)seg->size, "notes",
				       firmware_notes_json(d->facts)));
		return 0;
	}
	format_number(bytes, sizeof(bytes), (json_int_t)seg->size);
	printf("%s: %s bytes\n", path, bytes);
	return 0;
}

static int
run_extract(const struct session *s, const struct invocation *i)
{
	const char *dir = invocation_value(i, "output");
	uint64_t target = UINT64_MAX;
	const struct firmware_options wanted = { .addr = FW_ADDR_DEFAULT, .any_ids = true };
	struct firmware_file d;
	size_t found = 0;
	int r = invocation_number(i, "target", 0, UINT8_MAX, &target);

	if (r == 0)
		r = firmware_file_open(s, i->args[0], &wanted, &d);
	if (r != 0)
		return r;
	if (!s->json)
		firmware_file_say_notes(&d);
	for (size_t n = 0; n < image_segment_count(d.image) && r == 0; n++) {
		const struct segment *seg = image_segment(d.image, n);

		if (target != UINT64_MAX && seg->alt != target)
			continue;
		found++;
		r = extract(s, &d, dir != NULL ? dir : ".", seg);
	}
	if (r == 0 && found == 0) {
		say_error("%s: has no target %llu", d.source_name, (unsigned long long)target);
		r = EXIT_REFUSED;
	}
	firmware_file_close(&d);
	return r;
}

const struct command_desc cmd_firmware_extract = {
	.name = "firmware extract",
	.stations = STATIONS_ONE,
	.args = "FILE|-",
	.args_min = 1,
	.args_max = 1,
	.help = N_("the elements of a file as plain binaries; needs no daemon"),
	.run = run_extract,
	.options = {
		{ "output", 'o', "DIR", N_("into this directory (default: the current one)") },
		{ "target", 0, "N", N_("of this target only") },
	},
};
