/* SPDX-License-Identifier: MIT */
/* One input through the whole of daemon/firmware, with everything that must hold whatever the
 * bytes. */
#include "config.h"

#include "fuzz/fuzz.h"

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/image.h"
#include "cfdfu/layout.h"
#include "firmware/fw.h"
#include "firmware/fw_make.h"
#include "firmware/judge.h"

static void
check_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	assert(n < size);
	for (size_t i = 0; i < n; i++)
		assert(text[i] >= 0x20 && text[i] < 0x7F);
}

static void
check_judgement(const struct judgement *j)
{
	bool refused = false;

	assert(j->finding_count <= JUDGE_FINDINGS_MAX);
	for (size_t i = 0; i < j->finding_count; i++) {
		check_text(j->findings[i].text, sizeof(j->findings[i].text));
		assert(j->findings[i].text[0] != '\0');
		assert(i == 0 || j->findings[i].level <= j->findings[i - 1].level);
		refused |= j->findings[i].level == JUDGE_REFUSE;
	}
	assert(j->accepted != refused);
	check_text(j->content.version, sizeof(j->content.version));
	check_text(j->content.revision, sizeof(j->content.revision));
}

/* An accepted image lies within the range that is allowed on a Crazyflie. */
static void
check_places(const struct image *image)
{
	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *s = image_segment(image, i);

		assert(s->alt == 0 && s->addr >= CRAZYFLIE_APP_ADDR);
		assert(s->addr - CRAZYFLIE_APP_ADDR <= CRAZYFLIE_APP_BYTES_MAX - s->size);
	}
	assert(image_segment(image, 0)->addr == CRAZYFLIE_APP_ADDR);
}

static void
judge_all(const struct image *image, const struct fw_facts *facts, struct judgement *ret)
{
	static const struct device other = { .name = "other",
					     .app_addr = 0x08003000,
					     .protect = { { 0x08000000, 0x08002FFF } },
					     .protect_count = 1,
					     .ram_addr = 0x20000000,
					     .ram_bytes = 0x10000 };
	static struct judgement j;
	struct judge_options options = { .device = &other };

	assert(judge_image(image, &options, &j) == 0);
	check_judgement(&j);
	assert(judge_loader(image, &j) == 0);
	check_judgement(&j);
	assert(!j.accepted || image_bytes(image) <= CRAZYFLIE_LOADER_BYTES);
	options.device = NULL;
	options.manifest = facts->release.platform;
	assert(judge_image(image, &options, ret) == 0);
	check_judgement(ret);
	if (ret->accepted)
		check_places(image);
	/* An accepted build of Bitcraze's sources is as long as its own headers say. */
	if (ret->accepted && ret->content.bitcraze) {
		const struct content *c = &ret->content;

		assert(c->record_count > 0 && c->handlers_outside == 0 && c->end.hole_addr == 0);
		assert(c->end.data <= c->addr + c->size && c->end.mark <= c->addr + c->size);
	}
}

/* Client makes, daemon loads: same image, same verdict. */
static void
check_journey(const struct image *image, const struct fw_facts *facts, const struct judgement *ours)
{
	const struct judge_options options = { .manifest = facts->release.platform };
	static struct judgement theirs;
	struct fw_input in = { 0 };
	struct image *again = NULL;
	struct fw_error error;
	uint8_t *bytes = NULL;

	assert(fw_make_from_image(image, &bytes, &in.size) == 0);
	in.data = bytes;
	assert(fw_dfuse_load(&in, &again, NULL, &error) == 0);
	assert(image_same(image, again));
	assert(judge_image(again, &options, &theirs) == 0);
	assert(memcmp(ours, &theirs, sizeof(theirs)) == 0);
	image_unref(again);
	free(bytes);
}

static void
check_facts(const struct fw_input *in, const struct image *image, const struct fw_facts *f)
{
	uint64_t total = 0;
	uint8_t *bytes = NULL;
	size_t size;

	assert(f->element_count == image_segment_count(image));
	for (size_t i = 0; i < f->element_count; i++) {
		assert(f->elements[i].offset < in->size || f->format == FW_RELEASE);
		total += f->elements[i].size;
	}
	assert(total == image_bytes(image));
	for (size_t i = 0; i < f->warning_count; i++)
		check_text(f->warnings[i], sizeof(f->warnings[i]));
	check_text(f->header, sizeof(f->header));
	if (f->format != FW_DFUSE)
		return;
	/* A DfuSe file made again has the same bytes. */
	assert(fw_make_again(image, f, &bytes, &size) == 0);
	assert(size == in->size && memcmp(bytes, in->data, size) == 0);
	free(bytes);
}

bool
fuzz_file(const struct fw_input *in)
{
	static struct judgement j;
	struct image *image = NULL;
	struct fw_facts *facts = NULL;
	struct fw_error error = { 0 };
	int r = fw_load(in, &image, &facts, &error);

	if (r < 0) {
		assert(image == NULL && facts == NULL);
		assert(r == -EINVAL || r == -E2BIG);
		assert(error.text[0] != '\0');
		check_text(error.text, sizeof(error.text));
		return false;
	}
	check_facts(in, image, facts);
	judge_all(image, facts, &j);
	check_journey(image, facts, &j);
	fw_facts_free(facts);
	image_unref(image);
	return true;
}
