/* SPDX-License-Identifier: MIT */
/* cfdfuctl firmware extract: the elements of a file as plain binaries. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/firmware_file.h"
#include "client/file.h"
#include "client/out.h"
#include "wire/text.h"

#define PATH_TEXT_MAX 4096

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
		json_t *page =
		    json_pack("{s:o,s:i,s:I,s:I,s:o}", "file", text_json(path), "target", seg->alt,
			      "address", (json_int_t)seg->addr, "bytes", (json_int_t)seg->size,
			      "notes", firmware_notes_json(d->facts));

		out_json(page);
		json_decref(page);
		return 0;
	}
	format_number(bytes, sizeof(bytes), (json_int_t)seg->size);
	printf("%s: %s bytes\n", path, bytes);
	return 0;
}

static int
run(const struct session *s, const struct invocation *i)
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
	.args = "FILE|-",
	.args_min = 1,
	.args_max = 1,
	.help = N_("the elements of a file as plain binaries; needs no daemon"),
	.run = run,
	.options = {
		{ "output", 'o', "DIR", N_("into this directory (default: the current one)") },
		{ "target", 0, "N", N_("of this target only") },
	},
};
