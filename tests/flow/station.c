/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "flow/station.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ident.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "firmware/digest.h"
#include "fixtures/mkimage.h"

enum { IMAGES_MAX = 8, COMMITS_MAX = 512, SMALL_BYTES = 40000 };

struct commit {
	unsigned slot;
	int64_t id;
	bool end;
	uint64_t due_us;
};

struct station {
	struct station_options options;
	struct world *world;
	struct fleet *fleet;
	struct image *images[IMAGES_MAX];
	size_t image_count;
	struct station_row *rows;
	size_t row_count;
	struct commit commits[COMMITS_MAX]; /* asked for, not durable yet; oldest first */
	size_t commit_count;
	int disk_error;
	uint64_t trace, flashes, commit_total;
	char broken[256];
	bool replugging;
};

void
station_options_init(struct station_options *o, uint64_t seed)
{
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	o->fleet.job = (struct job_options){
		.adopt = JOB_ADOPT_RECOGNISED,
		.skip = JOB_SKIP_READBACK,
		.light = true,
		.dfu_timeout_us = 10000000,
		.boot_timeout_us = 10000000,
		.attempt_timeout_us = 180000000,
	};
	o->fleet.limits = (struct sched_limits){ .switch_max = 8,
						 .writers_max = 8,
						 .endpoints_max = 96,
						 .stagger_us = 30000,
						 .leave_wait_us = 20000000 };
	o->fleet.quarantine = 3;
}

static void
break_invariant(struct station *s, const char *fmt, ...)
{
	va_list args;

	if (s->broken[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(s->broken, sizeof(s->broken), fmt, args);
	va_end(args);
}

static void
mix(struct station *s, uint64_t v)
{
	s->trace = (s->trace ^ v) * 0x100000001B3ULL;
}

static uint64_t
now_us(const struct station *s)
{
	return world_now_us(s->world);
}

/* ---- the simulated disk ----------------------------------------------------------------------------- */

static struct station_row *
row_by_id(struct station *s, int64_t id)
{
	return id > 0 && (size_t)id <= s->row_count ? &s->rows[id - 1] : NULL;
}

static void
fill_row(struct station_row *row, const struct job_record *r)
{
	row->record = *r;
	row->record.image = NULL;
	copy_text(row->port, sizeof(row->port), r->port);
	copy_text(row->serial, sizeof(row->serial), r->serial);
	copy_text(row->dfu_serial, sizeof(row->dfu_serial), r->dfu_serial);
	if (r->image != NULL) {
		row->has_image = true;
		memcpy(row->sha256, image_label(r->image)->sha256, sizeof(row->sha256));
	}
}

static void
ask_commit(struct station *s, unsigned slot, int64_t id, bool end)
{
	if (s->commit_count == COMMITS_MAX) {
		break_invariant(s, "more than %d commits wait", COMMITS_MAX);
		return;
	}
	s->commits[s->commit_count++] =
		(struct commit){ slot, id, end, now_us(s) + s->options.commit_us };
}

static void
on_begin(struct station *s, const struct command *c)
{
	struct station_row *row;

	for (size_t i = 0; i < s->row_count; i++)
		if (s->rows[i].verdict.kind == VERDICT_NONE && s->rows[i].durable &&
		    strcmp(s->rows[i].port, c->record->port) == 0)
			break_invariant(s, "I9: two attempts on port %s", c->record->port);
	if (s->row_count == STATION_ROWS_MAX) {
		break_invariant(s, "more than %d rows", STATION_ROWS_MAX);
		return;
	}
	row = &s->rows[s->row_count];
	memset(row, 0, sizeof(*row));
	row->id = (int64_t)++s->row_count;
	fill_row(row, c->record);
	ask_commit(s, c->slot, row->id, false);
}

static void
on_end(struct station *s, const struct command *c)
{
	struct station_row *row = row_by_id(s, c->record->id);

	if (row == NULL || !row->durable) {
		break_invariant(s, "I7: an ending without a durable beginning");
		return;
	}
	if (row->verdict_durable)
		break_invariant(s, "I7: a second ending for attempt %d", (int)row->id);
	if (row->has_image && c->record->image != NULL &&
	    memcmp(row->sha256, image_label(c->record->image)->sha256, sizeof(row->sha256)) != 0)
		break_invariant(s, "I8: the image changed during attempt %d", (int)row->id);
	fill_row(row, c->record);
	ask_commit(s, c->slot, row->id, true);
}

static void
commit_due(struct station *s)
{
	while (s->commit_count > 0 && s->commits[0].due_us <= now_us(s)) {
		struct commit c = s->commits[0];
		struct station_row *row = row_by_id(s, c.id);

		memmove(&s->commits[0], &s->commits[1], --s->commit_count * sizeof(s->commits[0]));
		if (s->disk_error != 0) {
			if (!c.end)
				s->row_count--; /* never was */
			fleet_recorded(s->fleet, c.slot, -s->disk_error, 0, now_us(s));
			continue;
		}
		s->commit_total++;
		if (c.end) {
			row->verdict = row->record.verdict;
			row->verdict_durable = true;
			row->endings++;
		} else {
			row->durable = true;
		}
		fleet_recorded(s->fleet, c.slot, 0, c.id, now_us(s));
	}
}

/* ---- commands --------------------------------------------------------------------------------------- */

static bool
is_destructive(const struct usb_xfer *x)
{
	return x->kind == USB_CONTROL && x->setup.request_type == 0x21 && x->setup.request == 1 &&
	       x->setup.length > 0 &&
	       (x->setup.value >= 2 || (x->data != NULL && x->data[0] != 0x21));
}

static void
check_submit(struct station *s, const struct command *c)
{
	const struct job_record *r = c->record;
	struct station_row *row = row_by_id(s, r->id);

	if (!is_destructive(&c->xfer))
		return;
	if (row == NULL || !row->durable)
		break_invariant(s, "I3: a destructive request on %s before the row is durable", r->port);
	else if (row->verdict_durable)
		break_invariant(s, "I3: a destructive request on %s after the ending", r->port);
}

static void
on_note(struct station *s, const struct command *c)
{
	struct station_row *row;

	if (c->note != NOTE_ENDED)
		return;
	row = row_by_id(s, c->record->id);
	if (row == NULL || !row->verdict_durable)
		break_invariant(s, "I6: verdict of %s told before it is durable", c->record->port);
	mix(s, (uint64_t)c->record->verdict.kind * 1000 + c->record->verdict.fault);
	if (c->record->verdict.kind == VERDICT_PASS)
		s->flashes++;
	if (s->options.verbose)
		printf("%9.3f s  %-6s %s: %s\n", (double)now_us(s) / 1e6, c->record->port,
		       verdict_name(c->record->verdict.kind), c->record->message);
}

static void
on_digest(struct station *s, const struct command *c)
{
	uint64_t h = 0xCBF29CE484222325ULL;
	char hex[65];

	/* WHY: any function of the bytes does for the fleet, which only compares. */
	for (uint32_t i = 0; i < c->length; i += 16)
		h = (h ^ c->data[i]) * 0x100000001B3ULL;
	(void)snprintf(hex, sizeof(hex), "%064llx", (unsigned long long)h);
	fleet_digest(s->fleet, c->slot, hex);
}

static void
perform(struct station *s, const struct command *c)
{
	int r = 0;

	switch (c->kind) {
	case COMMAND_OPEN:
		r = world_open(s->world, c->dev, world_node_arrival(c->node));
		if (r < 0)
			fleet_opened(s->fleet, c->dev, r, NULL, 0, now_us(s));
		return;
	case COMMAND_XFER:
		check_submit(s, c);
		r = world_submit(s->world, c->dev, &c->xfer);
		if (r < 0 && r != -ENODEV)
			break_invariant(s, "I11: submit on %s refused: %d", c->record->port, r);
		if (r < 0)
			fleet_ended(s->fleet, c->dev, USB_GONE, NULL, 0, now_us(s));
		return;
	case COMMAND_CLOSE:
		world_close(s->world, c->dev);
		return;
	case COMMAND_BEGIN:
		on_begin(s, c);
		return;
	case COMMAND_END:
		on_end(s, c);
		return;
	case COMMAND_DIGEST:
		on_digest(s, c);
		return;
	case COMMAND_BACKUP:
		fleet_backed_up(s->fleet, c->slot, 0);
		return;
	case COMMAND_NOTE:
		on_note(s, c);
		return;
	}
}

static void
pump(struct station *s)
{
	struct command c;
	size_t before;

	do {
		while (fleet_next(s->fleet, now_us(s), &c))
			perform(s, &c);
		before = s->commit_count;
		commit_due(s);
	} while (before != s->commit_count);
}

/* ---- events of the world ---------------------------------------------------------------------------- */

/* What the records on disk know of this drone. */
static void
look_up(struct station *s, const struct sighting *sighting, struct drone_past *past)
{
	memset(past, 0, sizeof(*past));
	for (size_t i = s->row_count; i-- > 0;) {
		const struct station_row *row = &s->rows[i];
		bool dfu = ident_kind_of(sighting) == IDENT_DFU;

		if (!row->durable ||
		    strcmp(dfu ? row->dfu_serial : row->serial, sighting->serial) != 0 ||
		    sighting->serial[0] == '\0')
			continue;
		past->known = true;
		past->interrupted = row->verdict.kind == VERDICT_INTERRUPTED;
		past->ended_well = row->verdict.kind == VERDICT_PASS ||
				   row->verdict.kind == VERDICT_UNCHANGED;
		past->platform = row->record.platform;
		past->obey = row->record.obey;
		copy_text(past->serial, sizeof(past->serial), row->serial);
		copy_text(past->dfu_serial, sizeof(past->dfu_serial), row->dfu_serial);
		copy_text(past->loader_sha256, sizeof(past->loader_sha256), row->record.loader_sha256);
		return;
	}
}

static void
on_sighted(void *ctx, const struct sighting *sighting)
{
	struct station *s = ctx;
	struct drone_past past;

	look_up(s, sighting, &past);
	fleet_sighted(s->fleet, sighting, &past, now_us(s));
	pump(s);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct station *s = ctx;

	fleet_gone(s->fleet, port, arrival, now_us(s));
	pump(s);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct station *s = ctx;

	fleet_opened(s->fleet, id, error, descriptors, length, now_us(s));
	pump(s);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status, const uint8_t *data,
	 size_t length)
{
	struct station *s = ctx;

	(void)kind;
	fleet_ended(s->fleet, id, status, data, length, now_us(s));
	pump(s);
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
};

/* ---- life ------------------------------------------------------------------------------------------- */

int
station_new(const struct station_options *options, struct station **ret_station)
{
	struct station *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (s == NULL)
		goto out;
	s->options = *options;
	s->rows = calloc(STATION_ROWS_MAX, sizeof(*s->rows));
	if (s->rows == NULL)
		goto out;
	r = world_new(options->seed, &callbacks, s, &s->world);
	if (r < 0)
		goto out;
	r = fleet_new(&options->fleet, &s->fleet);
	if (r < 0)
		goto out;
	*ret_station = s;
	s = NULL; /* the caller's now */
out:
	station_free(s);
	return r;
}

void
station_free(struct station *s)
{
	if (s == NULL)
		return;
	fleet_free(s->fleet);
	world_free(s->world);
	for (size_t i = 0; i < s->image_count; i++)
		image_unref(s->images[i]);
	free(s->rows);
	free(s);
}

struct world *
station_world(struct station *s)
{
	return s->world;
}

struct fleet *
station_fleet(struct station *s)
{
	return s->fleet;
}

static struct image *
make_image(const char *platform, const char *tag, uint32_t size, uint32_t seed)
{
	struct mkimage_spec spec = { .platform = platform, .tag = tag, .size = size, .seed = seed };
	struct image_label label = { .platforms = BIT(platform_by_name(platform)) };
	struct segment segment = { .addr = 0x08004000 };
	struct image *image = NULL;
	uint8_t *bytes = NULL;
	size_t length = 0;

	if (mkimage_build(&spec, &bytes, &length) < 0)
		abort();
	segment.data = bytes;
	segment.size = (uint32_t)length;
	copy_text(label.name, sizeof(label.name), tag);
	copy_text(label.version, sizeof(label.version), tag);
	mkimage_revision(&spec, label.revision);
	digest_bytes(bytes, length, label.sha256);
	if (image_new(&segment, 1, &label, &image) < 0)
		abort();
	free(bytes);
	return image;
}

struct image *
station_select(struct station *s, const char *platform, const char *tag, uint32_t size, uint32_t seed)
{
	struct image *image = make_image(platform, tag, size != 0 ? size : SMALL_BYTES, seed);

	if (s->image_count == IMAGES_MAX)
		abort();
	s->images[s->image_count++] = image;
	policy_select(fleet_policy(s->fleet), platform_by_name(platform), image);
	fleet_selection_changed(s->fleet, now_us(s));
	pump(s);
	return image;
}

void
station_add(struct station *s, const char *port, const struct drone_config *config,
	    const struct image *image)
{
	if (world_add(s->world, port, NULL, NULL, config) < 0)
		abort();
	if (image == NULL)
		return;
	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *segment = image_segment(image, i);

		if (drone_load(world_drone(s->world, port), segment->addr, segment->data,
			       segment->size) < 0)
			abort();
	}
}

/* One event, of whichever side is due first; false when nothing is due before until_us. */
static bool
run_one(struct station *s, uint64_t until_us)
{
	uint64_t world = world_next_us(s->world);
	uint64_t tick = fleet_deadline_us(s->fleet);
	uint64_t commit = s->commit_count > 0 ? s->commits[0].due_us : WORLD_NEVER;
	uint64_t next = world < tick ? world : tick;

	next = commit < next ? commit : next;
	if (next == WORLD_NEVER || next > until_us)
		return false;
	if (next == world && world <= tick && world <= commit) {
		(void)world_run_one(s->world);
		return true;
	}
	world_advance(s->world, next);
	if (tick == next)
		fleet_tick(s->fleet, next);
	commit_due(s);
	pump(s);
	return true;
}

void
station_run(struct station *s, uint64_t until_us)
{
	while (run_one(s, until_us) && s->broken[0] == '\0')
		continue;
	if (until_us != WORLD_NEVER)
		world_advance(s->world, until_us);
}

bool
station_settle(struct station *s, uint64_t until_us)
{
	while (s->broken[0] == '\0') {
		if (!run_one(s, until_us))
			break;
	}
	return fleet_active(s->fleet) == 0;
}

void
station_restart(struct station *s)
{
	struct fleet *fresh;

	world_host_dies(s->world);
	/* What was not durable never was; what runs on disk is interrupted, exactly once. */
	s->commit_count = 0;
	while (s->row_count > 0 && !s->rows[s->row_count - 1].durable)
		s->row_count--;
	for (size_t i = 0; i < s->row_count; i++) {
		struct station_row *row = &s->rows[i];

		if (row->verdict_durable)
			continue;
		row->verdict = (struct verdict){ .kind = VERDICT_INTERRUPTED };
		row->verdict_durable = true;
		row->endings++;
	}
	if (fleet_new(&s->options.fleet, &fresh) < 0)
		abort();
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		policy_select(fleet_policy(fresh), p, policy_selected(fleet_policy(s->fleet), p));
	fleet_free(s->fleet);
	s->fleet = fresh;
	world_cold_plug(s->world);
	pump(s);
}

void
station_disk(struct station *s, int error)
{
	s->disk_error = error;
}

/* ---- questions -------------------------------------------------------------------------------------- */

size_t
station_rows(const struct station *s)
{
	return s->row_count;
}

const struct station_row *
station_row(const struct station *s, size_t i)
{
	return &s->rows[i];
}

const struct station_row *
station_last(const struct station *s, const char *port)
{
	for (size_t i = s->row_count; i-- > 0;)
		if (strcmp(s->rows[i].port, port) == 0)
			return &s->rows[i];
	return NULL;
}

bool
station_holds(struct station *s, const char *port, const struct image *image)
{
	static uint8_t flash[0x100000];
	struct drone *d = world_drone(s->world, port);
	const struct drone_counters *c = drone_counters(d);

	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *segment = image_segment(image, i);

		drone_peek(d, now_us(s), segment->addr, flash, segment->size);
		if (memcmp(flash, segment->data, segment->size) != 0)
			return false;
	}
	return c->outside_writes == 0 && c->outside_erases == 0 && c->mass_erases == 0 &&
	       c->unprotects == 0 && c->option_writes == 0;
}

const char *
station_broken(const struct station *s)
{
	return s->broken[0] != '\0' ? s->broken : NULL;
}

uint64_t
station_trace(const struct station *s)
{
	return s->trace ^ world_trace(s->world);
}

uint64_t
station_flashes(const struct station *s)
{
	return s->flashes;
}

uint64_t
station_commits(const struct station *s)
{
	return s->commit_total;
}
