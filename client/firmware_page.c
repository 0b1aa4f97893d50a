/* SPDX-License-Identifier: MIT */
/* The page of one file, for people and for programs. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/firmware_file.h"
#include "client/out.h"
#include "core/platform.h"
#include "firmware/judge_json.h"
#include "firmware/judge_part.h"
#include "wire/text.h"

#define SECTORS_MAX 64 /* LIMIT: of the page; the F405 has 12 */

static const char *const flag_names[] = {
	[CONTENT_UNKNOWN] = "unknown",
	[CONTENT_NO] = "no",
	[CONTENT_YES] = "yes",
};

static const char *const base_names[] = {
	[CONTENT_BASE_UNDECIDED] = "undecided",
	[CONTENT_BASE_RIGHT] = "right",
	[CONTENT_BASE_WRONG] = "wrong",
};

void
firmware_platforms_text(unsigned platforms, char *dst, size_t size)
{
	snprintf(dst, size, "%s", platforms == 0 ? "unknown" : "");
	for (int p = PLATFORM_CF2; p < PLATFORM_COUNT; p++)
		if (platforms & BIT(p))
			text_add(dst, size, "%s%s", dst[0] != '\0' ? ", " : "",
				 platform_name((enum platform)p));
}

/* The name of the target that element i belongs to; NULL without. */
static const char *
target_name(const struct fw_facts *facts, size_t i)
{
	for (size_t t = 0; t < facts->target_count; t++) {
		const struct fw_target *target = &facts->targets[t];

		if (i >= target->element_first && i - target->element_first < target->element_count)
			return target->named ? target->name : NULL;
	}
	return NULL;
}

json_t *
firmware_elements_json(const struct fw_facts *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->element_count; i++) {
		const struct fw_element *e = &facts->elements[i];

		(void)json_array_append_new(
		    list, json_pack("{s:i,s:o,s:I,s:I}", "target", e->alt, "target_name",
				    text_json(target_name(facts, i)), "address",
				    (json_int_t)e->addr, "bytes", (json_int_t)e->size));
	}
	return list;
}

static json_t *
sectors_json(const struct image *image)
{
	struct sector sectors[SECTORS_MAX];
	size_t count = judge_sectors(image, 0, &device_crazyflie()->map[0], sectors, SECTORS_MAX);
	json_t *list = json_array();

	for (size_t i = 0; i < count && i < SECTORS_MAX; i++)
		(void)json_array_append_new(list, json_pack("{s:I,s:I,s:I}", "sector",
							    (json_int_t)sectors[i].index, "address",
							    (json_int_t)sectors[i].addr, "bytes",
							    (json_int_t)sectors[i].size));
	return list;
}

json_t *
firmware_notes_json(const struct fw_facts *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->warning_count; i++)
		(void)json_array_append_new(list, text_json(facts->warnings[i]));
	return list;
}

void
firmware_file_say_notes(const struct firmware_file *d)
{
	for (size_t i = 0; i < d->facts->warning_count; i++)
		say_note("%s: %s", d->source_name, d->facts->warnings[i]);
}

static json_t *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text_json(text) : json_null();
}

static json_t *
content_json(const struct content *c)
{
	return json_pack("{s:o,s:o,s:s,s:s,s:o,s:o,s:b}", "version", text_or_null(c->version),
			 "revision", text_or_null(c->revision), "modified", flag_names[c->modified],
			 "base", base_names[c->base], "initial_sp",
			 c->vectors ? json_integer(c->initial_sp) : json_null(), "reset",
			 c->vectors ? json_integer(c->reset) : json_null(), "loader", c->loader);
}

/* A list of type FirmwarePart. */
static json_t *
parts_json(const struct fw_release_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->part_count; i++) {
		const struct image_part *p = &f->parts[i].part;

		(void)json_array_append_new(
		    list,
		    json_pack("{s:s,s:s,s:o,s:I,s:s,s:s,s:o}", "target", p->target, "type", p->type,
			      "version", text_or_null(p->version), "bytes", (json_int_t)p->length,
			      "use", judge_part_use_name(judge_part_use(p->target)), "text",
			      judge_part_words(p->target, p->type), "soft_device",
			      text_or_null(f->parts[i].soft_device)));
	}
	return list;
}

void
firmware_parts_print(const json_t *parts, int width)
{
	const json_t *p;
	size_t i;

	json_array_foreach(parts, i, p) {
		struct text type = out_text(p, "type"), problem = out_text(p, "problem");
		struct text version = out_text(p, "version");
		bool firmware = strcmp(type.s, "fw") == 0;
		char bytes[32];

		format_number(bytes, sizeof(bytes), out_int(p, "bytes"));
		printf("  %-*s%s%s%s%s%s, %s bytes: %s\n", width, i == 0 ? "parts" : "",
		       out_text(p, "target").s, firmware ? "" : " ", firmware ? "" : type.s,
		       version.s[0] != '\0' ? " " : "", version.s, bytes, out_text(p, "text").s);
		if (problem.s[0] != '\0')
			printf("  %-*s%s\n", width, "", problem.s);
	}
}

json_t *
firmware_page_json(const struct firmware_file *d)
{
	const struct judgement *j = &d->judgement;
	char sha[DIGEST_TEXT_MAX];

	digest_format(image_label(d->image)->sha256, sha);
	return json_pack(
	    "{s:b,s:o,s:o,s:s,s:s,s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "accepted",
	    j->accepted, "reason", j->accepted ? json_null() : text_json(judge_reason(j)),
	    "source_name", text_json(d->source_name), "source_sha256", d->source_sha256, "sha256",
	    sha, "format", fw_format_name(d->facts->format), "bytes",
	    (json_int_t)image_bytes(d->image), "platforms", judge_platforms_json(j->platforms),
	    "findings", judge_findings_json(j), "elements", firmware_elements_json(d->facts),
	    "sectors", sectors_json(d->image), "devices",
	    d->as_loader ? json_array() : firmware_devices_json(d), "notes",
	    firmware_notes_json(d->facts), "content", content_json(&j->content), "parts",
	    parts_json(&d->facts->release));
}

void
firmware_elements_print(const struct fw_facts *facts)
{
	for (size_t i = 0; i < facts->element_count; i++) {
		const struct fw_element *e = &facts->elements[i];
		const char *name = target_name(facts, i);
		struct text clean;
		char bytes[32];

		text_copy(&clean, name);
		format_number(bytes, sizeof(bytes), (json_int_t)e->size);
		printf("  target %u%s%s%s  0x%08lx-0x%08lx  %s bytes\n", e->alt,
		       name != NULL ? " \"" : "", clean.s, name != NULL ? "\"" : "",
		       (unsigned long)e->addr, (unsigned long)(e->addr + (e->size - 1)), bytes);
	}
}

static void
print_sectors(const struct firmware_file *d)
{
	json_t *m = firmware_memory_json(d, device_crazyflie(), 0);

	if (m != NULL)
		printf("  sectors     %lld to %lld, %lld KiB to erase\n",
		       (long long)out_int(m, "first"), (long long)out_int(m, "last"),
		       (long long)out_int(m, "erase_bytes") / 1024);
	json_decref(m);
}

static void
print_content(const struct content *c)
{
	printf("  version     %s%s%s%s\n", c->version[0] != '\0' ? c->version : "none found",
	       c->revision[0] != '\0' ? ", revision " : "", c->revision,
	       c->modified == CONTENT_YES ? ", built from changed sources" : "");
	if (c->vectors)
		printf("  vectors     stack 0x%08lx, reset 0x%08lx, linked address %s\n",
		       (unsigned long)c->initial_sp, (unsigned long)c->reset, base_names[c->base]);
}

static void
print_findings(const struct firmware_file *d)
{
	const struct judgement *j = &d->judgement;

	for (size_t i = 0; i < d->facts->warning_count; i++)
		printf("  note: %s\n", d->facts->warnings[i]);
	for (size_t i = 0; i < j->finding_count; i++)
		printf("  %s: %s\n", judge_level_name(j->findings[i].level), j->findings[i].text);
}

void
firmware_page_print(const struct session *s, const struct firmware_file *d)
{
	const struct judgement *j = &d->judgement;
	char platforms[128], sha[DIGEST_TEXT_MAX], bytes[32];
	json_t *parts;

	firmware_platforms_text(j->platforms, platforms, sizeof(platforms));
	digest_format(image_label(d->image)->sha256, sha);
	format_number(bytes, sizeof(bytes), (json_int_t)image_bytes(d->image));
	printf("%s: %s%s%s\n", d->source_name, paint_on(s, j->accepted ? COLOUR_GOOD : COLOUR_BAD),
	       j->accepted ? "accepted" : "REFUSED", paint_off(s));
	printf("  format      %s\n", fw_format_words(d->facts->format));
	printf("  platform    %s\n", platforms);
	print_content(&j->content);
	printf("  size        %s bytes\n", bytes);
	printf("  sha256      %s\n", sha);
	firmware_elements_print(d->facts);
	if (d->user_platform != PLATFORM_OTHER)
		print_sectors(d);
	parts = parts_json(&d->facts->release);
	firmware_parts_print(parts, 12);
	json_decref(parts);
	print_findings(d);
}
