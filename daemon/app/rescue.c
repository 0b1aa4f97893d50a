/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/rescue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/backups.h"
#include "app/clock.h"
#include "app/log.h"
#include "app/ports.h"
#include "app/services.h"
#include "ctl/memfile.h"
#include "firmware/digest.h"
#include "firmware/fw_make.h"

/* A request under way. */
struct rescue_slot {
	bool running;
	void *owner; /* NULL: it went away */
	int fd;
	bool whole;
	struct rescue_result result;
};

struct rescue {
	const struct services *sv;
	void (*ended)(void *owner, const struct rescue_result *result);
	struct rescue_slot slots[FLEET_SLOTS_MAX];
};

int
rescue_new(const struct services *sv,
	   void (*ended)(void *owner, const struct rescue_result *result),
	   struct rescue **ret_rescue)
{
	struct rescue *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return -ENOMEM;
	rs->sv = sv;
	rs->ended = ended;
	*ret_rescue = rs;
	return 0;
}

static void
end(struct rescue_slot *s)
{
	if (s->running && s->fd >= 0)
		(void)close(s->fd);
	json_decref(s->result.answer);
	*s = (struct rescue_slot){ .fd = -1 };
}

void
rescue_free(struct rescue *rs)
{
	for (size_t i = 0; rs != NULL && i < FLEET_SLOTS_MAX; i++)
		end(&rs->slots[i]);
	free(rs);
}

/* WHY refused while paused: it would wait for its turn, and its client for it, without a word. */
static bool
waits_for_turn(enum job_kind kind)
{
	return kind == JOB_RECOVER_LOADER || kind == JOB_BACKUP;
}

int
rescue_begin(struct rescue *rs, unsigned slot, const struct rescue_request *take_request)
{
	struct rescue_slot *s = &rs->slots[slot];
	int r = s->running ? -EBUSY
		: fleet_paused(rs->sv->fleet) && waits_for_turn(take_request->setup.kind)
		    ? -EAGAIN
		    : fleet_special(rs->sv->fleet, slot, &take_request->setup, clock_now_us());

	if (r == 0)
		*s = (struct rescue_slot){ .running = true,
					   .owner = take_request->owner,
					   .fd = take_request->fd,
					   .whole = take_request->whole,
					   .result = { .kind = take_request->setup.kind,
						       .answer = json_incref(take_request->answer),
						       .sv = rs->sv } };
	else if (take_request->fd >= 0)
		(void)close(take_request->fd);
	return r;
}

void
rescue_forget(struct rescue *rs, void *owner)
{
	for (size_t i = 0; i < FLEET_SLOTS_MAX; i++)
		if (rs->slots[i].owner == owner)
			rs->slots[i].owner = NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The range that a backup holds: all that was read, or the application alone. */
static struct segment
choose_range(const struct request *c, bool whole)
{
	struct segment s = { .addr = c->addr, .size = c->length, .data = c->data };

	if (!whole) {
		s.data += c->app_addr - c->addr;
		s.size = fw_used_bytes(s.data, c->length - (c->app_addr - c->addr));
		s.size = s.size > 0 ? s.size : 4; /* a file has no element without bytes */
		s.addr = c->app_addr;
	}
	return s;
}

static int
make_dump(struct segment segment, uint8_t **ret_bytes, size_t *ret_size)
{
	return fw_make(
	    &(struct fw_make_file){ .vid = FW_MAKE_VID,
				    .pid = FW_MAKE_PID,
				    .targets = &(struct fw_make_target){ .name = "Internal Flash",
									 .elements = &segment,
									 .element_count = 1 },
				    .target_count = 1 },
	    ret_bytes, ret_size);
}

/* Of a request: into the file that came with it. */
static void
write_backup(struct rescue_slot *s, const struct segment *segment, const uint8_t *bytes,
	     size_t size)
{
	uint8_t sha256[DIGEST_BYTES];

	s->result.error = memfile_write(s->fd, bytes, size);
	if (s->result.error < 0)
		return;
	digest_bytes(bytes, size, sha256);
	digest_format(sha256, s->result.sha256);
	s->result.bytes = size;
	s->result.addr = segment->addr;
	s->result.length = segment->size;
}

static void
say_lost(const struct rescue *rs, const struct job_record *r, int error)
{
	struct log_about about = ports_about(rs->sv->ports, r->port);

	about.serial = r->serial[0] != '\0' ? r->serial : r->dfu_serial;
	log_say(rs->sv->log, LOG_WARNING, &about, "its backup cannot be kept: %s",
		strerror(-error));
}

int
rescue_backup(void *ctx, const struct request *c)
{
	struct rescue *rs = ctx;
	struct rescue_slot *s = &rs->slots[c->slot];
	struct segment segment = choose_range(c, !s->running || s->whole);
	uint8_t *bytes = NULL;
	size_t size = 0;
	int r = make_dump(segment, &bytes, &size);

	/* WHY its error is none here: the drone was read; it is the client's file that fails. */
	if (r == 0 && s->running)
		write_backup(s, &segment, bytes, size);
	else if (r == 0)
		r = backups_keep(rs->sv->state_dir, rs->sv->settings, c->record, bytes, size);
	if (r < 0 && !s->running)
		say_lost(rs, c->record, r);
	free(bytes);
	return r;
}

/* ---- the end -------------------------------------------------------------------------------- */

/* Why there is nothing to record. */
static const char *
trouble_of(const struct rescue *rs, const struct fleet_event *event)
{
	if (event->kind == EVENT_ENDED || event->record->verdict.kind != VERDICT_NONE)
		return NULL;
	if (fleet_sighting(rs->sv->fleet, event->slot) == NULL)
		return "Unplugged before anything was done.";
	return event->record->message[0] != '\0' ? event->record->message
						 : "It could not be begun.";
}

static bool
has_another(const struct rescue *rs, const struct rescue_slot *s)
{
	for (size_t i = 0; i < FLEET_SLOTS_MAX; i++)
		if (&rs->slots[i] != s && rs->slots[i].running && rs->slots[i].owner == s->owner)
			return true;
	return false;
}

void
rescue_tell(void *ctx, const struct fleet_event *event)
{
	struct rescue *rs = ctx;
	struct rescue_slot *s = &rs->slots[event->slot];

	/* WHY the kind: a check-up gives way to a request, and its end is told behind that. */
	if ((event->kind != EVENT_ENDED && event->kind != EVENT_SPECIAL_ENDED) || !s->running ||
	    event->record->kind != s->result.kind)
		return;
	s->result.record = event->record;
	s->result.trouble = trouble_of(rs, event);
	s->result.last = !has_another(rs, s);
	if (s->owner != NULL)
		rs->ended(s->owner, &s->result);
	end(s);
}
