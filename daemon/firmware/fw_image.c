/* SPDX-License-Identifier: MIT */
/* From what a loader found to a labelled image. */
#include "config.h"

#include "firmware/fw_loading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "firmware/content.h"
#include "firmware/digest.h"

static int
by_place(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->alt != y->alt)
		return x->alt < y->alt ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Where in the file the piece at this place came from. */
static size_t
offset_of(const struct fw_facts *f, const struct segment *s)
{
	for (size_t i = 0; i < f->element_count; i++)
		if (f->elements[i].alt == s->alt && f->elements[i].addr == s->addr)
			return f->elements[i].offset;
	return 0;
}

static int
check_places(struct fw_loading *l)
{
	uint64_t total = 0;

	qsort(l->segments, l->segment_count, sizeof(l->segments[0]), by_place);
	for (size_t i = 0; i < l->segment_count; i++) {
		const struct segment *s = &l->segments[i], *next = s + 1;

		total += s->size;
		if (i + 1 == l->segment_count || next->alt != s->alt ||
		    next->addr - s->addr >= s->size)
			continue;
		return fw_refuse(l, offset_of(l->facts, next),
				 "the pieces at 0x%08" PRIX32 " (%" PRIu32
				 " bytes) and 0x%08" PRIX32 " of alternate %u overlap",
				 s->addr, s->size, next->addr, s->alt);
	}
	if (l->segment_count == 0)
		return fw_refuse(l, 0, "the file carries no data");
	if (total > IMAGE_BYTES_MAX) {
		(void)fw_refuse(l, 0, "%" PRIu64 " bytes of data, the limit is %u", total,
				IMAGE_BYTES_MAX);
		return -E2BIG;
	}
	return 0;
}

/* Sorted, checked segments -> image with everything a label can say. */
static int
make_image(struct fw_loading *l, struct image **ret_image)
{
	struct image_label label = { 0 };
	struct content content;
	int r = check_places(l);

	if (r < 0)
		return r;
	r = content_read(l->segments, l->segment_count, &content);
	if (r == 0)
		r = digest_segments(l->segments, l->segment_count, label.sha256);
	if (r < 0)
		return fw_no_memory(l);
	if (l->in->name != NULL)
		fw_clean_text(label.name, sizeof(label.name), l->in->name, strlen(l->in->name));
	copy_text(label.version, sizeof(label.version), content.version);
	copy_text(label.revision, sizeof(label.revision), content.revision);
	label.incomplete = l->in->incomplete;
	copy_text(label.signer, sizeof(label.signer), l->in->signer != NULL ? l->in->signer : "");
	label.platforms =
	    content_narrow(content.platforms, l->facts->release.platform, l->in->platform);
	r = image_new(l->segments, l->segment_count, &label, ret_image);
	if (r == -ENOMEM)
		return fw_no_memory(l);
	if (r < 0)
		(void)fw_refuse(l, 0, "the pieces of the file do not make an image");
	return r;
}

int
fw_load_with(fw_loader *loader, const struct fw_input *in, struct image **ret_image,
	     struct fw_facts **ret_facts, struct fw_error *ret_error)
{
	struct fw_loading l = { .in = in, .data = in->data, .size = in->size, .addr = in->addr };
	struct fw_error error = { 0 };
	int r;

	l.error = ret_error != NULL ? ret_error : &error;
	l.facts = calloc(1, sizeof(*l.facts));
	l.segments = calloc(IMAGE_SEGMENTS_MAX, sizeof(*l.segments));
	if (l.facts == NULL || l.segments == NULL)
		r = fw_no_memory(&l);
	else if (in->size == 0)
		r = fw_refuse(&l, 0, "the file is empty");
	else
		r = loader(&l);
	if (r == 0)
		r = fw_check_ends(&l);
	if (r == 0)
		r = make_image(&l, ret_image);
	if (r == 0 && ret_facts != NULL) {
		*ret_facts = l.facts;
		l.facts = NULL; /* the caller's now */
	}
	free(l.bytes);
	free(l.segments);
	fw_facts_free(l.facts);
	return r;
}
