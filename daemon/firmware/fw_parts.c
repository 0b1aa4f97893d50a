/* SPDX-License-Identifier: MIT */
/*
 * The parts of a release beside the STM32's image: firmware for decks and for the nRF51
 * (crazyflie-release, src/manifest_template.json; target is a text, or a list of texts).
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "firmware/fw_zip.h"
#include "firmware/judge_part.h"

static void
take(char *dst, size_t size, const json_t *text)
{
	const char *s = json_string_value(text);

	fw_clean_text(dst, size, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
}

static bool
is_there(const struct fw_release_facts *f, const struct image_part *part)
{
	for (size_t i = 0; i < f->part_count; i++)
		if (strcmp(f->parts[i].part.target, part->target) == 0 &&
		    strcmp(f->parts[i].part.type, part->type) == 0)
			return true;
	return false;
}

static void
note_for(struct fw_facts *facts, const char *name, const json_t *file, const json_t *target)
{
	struct fw_release_facts *f = &facts->release;
	struct fw_part part = { .soft_device = "" };

	take(part.part.target, sizeof(part.part.target), target);
	take(part.part.type, sizeof(part.part.type), json_object_get(file, "type"));
	take(part.part.version, sizeof(part.part.version), json_object_get(file, "release"));
	/* The nRF51's firmware requires a soft device, the bundle with it provides one. */
	take(part.soft_device, sizeof(part.soft_device),
	     json_array_get(json_object_get(file, "requires"), 0));
	if (part.soft_device[0] == '\0')
		take(part.soft_device, sizeof(part.soft_device),
		     json_array_get(json_object_get(file, "provides"), 0));
	fw_clean_text(part.file, sizeof(part.file), name, strlen(name));
	if (f->part_count == IMAGE_PARTS_MAX)
		fw_warn(facts, "left out: \"%s\" for %s: more than %d parts", part.file,
			part.part.target, IMAGE_PARTS_MAX);
	else if (is_there(f, &part.part))
		fw_warn(facts, "left out: \"%s\" for %s: another file is for it, too", part.file,
			part.part.target);
	else
		f->parts[f->part_count++] = part;
}

void
fw_parts_note(struct fw_facts *facts, const char *name, const json_t *file)
{
	const json_t *target = json_object_get(file, "target"), *one;
	bool deck = strcmp(json_string_value(json_object_get(file, "platform")), "deck") == 0;
	size_t i;

	if (json_is_string(target))
		note_for(facts, name, file, target);
	json_array_foreach(target, i, one)
		if (json_is_string(one) &&
		    (deck || strcmp(json_string_value(one), PART_NRF51) == 0))
			note_for(facts, name, file, one);
}

/* 0; -EINVAL with the reason in l->error; -ENOMEM. */
static int
load(struct fw_loading *l, struct fw_zip *z, size_t manifest, struct fw_part *p,
     struct judgement *j)
{
	struct fw_member member;
	size_t index;
	int r;

	if (!fw_zip_beside(z, manifest, p->file, &index))
		return fw_refuse(l, 0, "not in the archive");
	r = fw_zip_read(l, z, index, PART_BYTES_MAX, &member);
	if (r < 0)
		return r;
	p->part.bytes = member.bytes;
	p->part.length = (uint32_t)member.size;
	judge_part(&p->part, p->soft_device, j);
	if (j->accepted)
		return 0;
	p->part.bytes = NULL;
	free(member.bytes);
	return fw_refuse(l, 0, "%s", judge_reason(j));
}

int
fw_parts_load(struct fw_loading *l, struct fw_zip *z, size_t manifest)
{
	struct fw_release_facts *f = &l->facts->release;
	size_t noted = f->part_count;
	struct judgement *j = malloc(sizeof(*j)); /* WHY: judgements are large */
	int r = j != NULL ? 0 : fw_no_memory(l);

	f->part_count = 0;
	for (size_t i = 0; i < noted && r == 0; i++) {
		struct fw_part p = f->parts[i];

		r = load(l, z, manifest, &p, j);
		if (r == -EINVAL)
			fw_warn(l->facts, "left out: \"%s\" for %s: %s", p.file, p.part.target,
				l->error->text);
		else if (r == 0)
			f->parts[f->part_count++] = p;
		if (r == 0 && j->finding_count > 0)
			fw_warn(l->facts, "\"%s\" for %s: %s", p.file, p.part.target,
				j->findings[0].text);
		r = r == -EINVAL ? 0 : r;
	}
	free(j);
	if (r == 0)
		l->error->text[0] = '\0';
	return r;
}
