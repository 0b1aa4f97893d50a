/* SPDX-License-Identifier: MIT */
/* The judge's reading of the bytes: vectors, base, platform, version. */
#include "config.h"

#include "firmware/judge_internal.h"

#include <inttypes.h>

#include "core/platform.h"

#define FIRST_WORD_BLANK 0xFFFFFFFFU

static void
judge_stack(struct judgement *j, const struct device *d)
{
	uint32_t sp = j->content.initial_sp;

	/* The top of a memory is a good stack pointer, its bottom is not: the stack grows down. */
	if (d->ram_bytes == 0 || (sp > d->ram_addr && sp - d->ram_addr <= d->ram_bytes))
		return;
	if (d->ccm_bytes != 0 && sp > d->ccm_addr && sp - d->ccm_addr <= d->ccm_bytes)
		judge_add(j, JUDGE_WARN, JUDGE_STACK_CCM,
			  "initial stack pointer 0x%08" PRIX32
			  " lies in core-coupled memory: unusual",
			  sp);
	else
		judge_add(j, JUDGE_REFUSE, JUDGE_STACK,
			  "initial stack pointer is 0x%08" PRIX32 ", expected above 0x%08" PRIX32
			  " and up to 0x%08" PRIX32,
			  sp, d->ram_addr, d->ram_addr + d->ram_bytes);
}

static void
judge_reset(struct judgement *j)
{
	const struct content *c = &j->content;

	if (c->reset % 2 == 0)
		judge_add(j, JUDGE_REFUSE, JUDGE_RESET_EVEN,
			  "reset vector 0x%08" PRIX32
			  " is even: this processor runs Thumb code only",
			  c->reset);
	if (c->reset < c->addr || c->reset - c->addr >= c->size)
		judge_add(j, JUDGE_REFUSE, JUDGE_RESET_OUTSIDE,
			  "reset vector 0x%08" PRIX32 " lies outside of the image (0x%08" PRIX32
			  " to 0x%08" PRIX32 ")",
			  c->reset, c->addr, c->addr + (c->size - 1));
}

static void
judge_base(struct judgement *j, const struct device *d)
{
	const struct content *c = &j->content;

	switch (c->base) {
	case CONTENT_BASE_RIGHT:
		if (d->family && c->handlers_outside > 0 && !c->bitcraze)
			judge_add(j, JUDGE_WARN, JUDGE_HANDLERS_OUTSIDE,
				  "%u interrupt vectors lie outside of the image",
				  c->handlers_outside);
		return;
	case CONTENT_BASE_WRONG:
		judge_add(j, JUDGE_REFUSE, JUDGE_BASE_WRONG,
			  "linked for 0x%08" PRIX32 ", but would be written to 0x%08" PRIX32,
			  c->linked_at, c->addr);
		return;
	case CONTENT_BASE_UNDECIDED:
		break;
	}
	if (c->system_outside > 0)
		judge_add(j, JUDGE_REFUSE, JUDGE_HANDLERS_OUTSIDE,
			  "%u of the processor's own vectors lie outside of the image",
			  c->system_outside);
	judge_add(j, d->family ? JUDGE_WARN : JUDGE_NOTE, JUDGE_BASE_UNDECIDED,
		  "nothing shows for which address it was linked; only the range of the vectors "
		  "could be checked");
}

void
judge_vectors(struct judgement *j, const struct device *device)
{
	const struct content *c = &j->content;

	if (!c->vectors) {
		judge_add(j, JUDGE_REFUSE, JUDGE_TOO_SHORT,
			  "%" PRIu32 " bytes: too short for a stack pointer and a reset vector",
			  c->size);
		return;
	}
	if (c->initial_sp == FIRST_WORD_BLANK) {
		judge_add(
		    j, JUDGE_REFUSE, JUDGE_BLANK_START,
		    "the first word is 0xFFFFFFFF: the boot loader takes that as no application");
		return;
	}
	/* WHY first when wrong: it explains what else is wrong then. */
	if (c->base == CONTENT_BASE_WRONG)
		judge_base(j, device);
	judge_stack(j, device);
	judge_reset(j);
	if (c->base != CONTENT_BASE_WRONG)
		judge_base(j, device);
}

/* "cf2, bolt" */
static const char *
list_platforms(unsigned platforms, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if ((platforms & BIT(p)) != 0 && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
					      platform_name((enum platform)p));
	return out;
}

static void
judge_records(struct judgement *j, const struct judge_options *o)
{
	const struct content *c = &j->content;

	for (size_t i = 0; i < c->record_count; i++) {
		const struct content_record *r = &c->records[i];

		if (r->platforms != 0)
			continue;
		/* WHY: firmware that does not know the board stops before its USB starts
		 * (doc/protocol.md 9.4). */
		judge_add(j,
			  c->platforms == 0 && o->user_platform != PLATFORM_OTHER ? JUDGE_REFUSE
										  : JUDGE_WARN,
			  JUDGE_RECORD_UNKNOWN, "names the board %s (%s), which is not one of ours",
			  r->type, r->name);
		return;
	}
}

static void
judge_word(struct judgement *j, enum platform word, const char *whose)
{
	char names[64];

	if (word != PLATFORM_UNKNOWN && j->content.platforms != 0 &&
	    (j->content.platforms & BIT(word)) == 0)
		judge_add(j, JUDGE_REFUSE, JUDGE_PLATFORM, "the image is for %s, but %s %s",
			  list_platforms(j->content.platforms, names, sizeof(names)), whose,
			  platform_name(word));
}

static void
judge_platforms(struct judgement *j, const struct judge_options *o)
{
	const struct content *c = &j->content;
	char names[64];

	judge_records(j, o);
	judge_word(j, o->manifest, "its manifest says");
	judge_word(j, o->user_platform, "it was added for");
	if (o->manifest != PLATFORM_UNKNOWN && o->user_platform != PLATFORM_UNKNOWN &&
	    o->manifest != o->user_platform)
		judge_add(j, JUDGE_REFUSE, JUDGE_PLATFORM,
			  "its manifest says %s, but it was added for %s",
			  platform_name(o->manifest), platform_name(o->user_platform));
	j->platforms = content_narrow(c->platforms, o->manifest, o->user_platform);
	list_platforms(j->platforms, names, sizeof(names));
	if (j->platforms == 0)
		judge_add(j, JUDGE_WARN, JUDGE_PLATFORM_UNKNOWN,
			  "no platform found in the image: give it with --platform");
	else if (c->platforms == 0)
		judge_add(j, JUDGE_WARN, JUDGE_PLATFORM_UNKNOWN,
			  "no platform found in the image; using %s as given", names);
	else if ((j->platforms & (j->platforms - 1)) != 0)
		judge_add(j, JUDGE_NOTE, JUDGE_PLATFORM_SEVERAL, "fits several platforms: %s",
			  names);
}

static void
judge_version(struct judgement *j)
{
	const struct content *c = &j->content;

	if (c->version[0] == '\0')
		judge_add(
		    j, JUDGE_WARN, JUDGE_VERSION_UNKNOWN,
		    "carries no version: what the drone says after the boot cannot be compared");
	else if (strcmp(c->version, "NA") == 0)
		judge_add(j, JUDGE_NOTE, JUDGE_VERSION_UNKNOWN,
			  "built without version tags: the drone will call its version \"NA\"");
	if (c->modified == CONTENT_YES)
		judge_add(
		    j, JUDGE_WARN, JUDGE_MODIFIED,
		    "built from changed sources: other images with the same version may differ");
	if (c->trailer == CONTENT_NO && c->base == CONTENT_BASE_RIGHT)
		judge_add(j, JUDGE_WARN, JUDGE_TRAILER,
			  "the pointers in the last 16 bytes do not lead to version and revision");
}

void
judge_content(struct judgement *j, const struct judge_options *options)
{
	judge_platforms(j, options);
	judge_version(j);
}
