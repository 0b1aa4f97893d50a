/* SPDX-License-Identifier: MIT */
/* Loader recovery and reading a drone's flash: jobs that an operator asks for by name, one slot at
 * a time. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/api.h"
#include "app/app_parts.h"
#include "app/acts.h"
#include "app/find.h"
#include "app/reply.h"
#include "app/backups.h"
#include "app/repository.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"
#include "ctl/memfile.h"
#include "firmware/digest.h"
#include "firmware/fw_dfuse.h"
#include "firmware/fw_make.h"

/* The slot that is meant, or -1 after having answered. */
static int
slot_parameter(const struct api *a, struct call *call, json_t *parameters)
{
	struct target t;
	int slot = 0;

	if (!find_slots(a, call, param_text(parameters, "slot"), &t))
		return -1;
	if (find_refuse_several(call, &t))
		return -1;
	while (!t.slots[slot])
		slot++;
	return slot;
}

static void
start(const struct api *a, struct call *call, unsigned slot, const struct special *wanted,
      const struct job_setup *setup)
{
	struct special *s = &a->app->specials[slot];
	/* WHY refused: it would wait for its turn, and its client for it, without a word. */
	int r = s->running		 ? -EBUSY
		: fleet_paused(a->fleet) ? -EAGAIN
					 : fleet_special(a->fleet, slot, setup, clock_now_us());

	if (r == 0) {
		*s = *wanted;
		s->running = true;
		acts_begun(a->acts, call);
		return;
	}
	if (wanted->fd >= 0)
		(void)close(wanted->fd);
	call_refuse(call, r == -EBUSY ? PROTO_ERROR("Busy") : PROTO_ERROR("Refused"), "%s.",
		    r == -ENODEV   ? "Nothing is plugged in there"
		    : r == -EAGAIN ? "The station is paused: 'cfdfuctl resume', then once more"
		    : r == -EBUSY  ? "That slot is at work"
		    : r == -EINVAL ? "What is plugged in there is not a Crazyflie"
				   : strerror(-r));
}

/* ---- the boot loader ------------------------------------------------------------------------ */

static int
judge_bytes(const uint8_t *data, size_t size, const char *name, struct image **ret_image,
	    char why[STORE_WHY_MAX])
{
	struct fw_input in = { .data = data, .size = size, .name = name };
	struct judgement *j = calloc(1, sizeof(*j));
	struct fw_error error = { 0 };
	struct image *image = NULL;
	int r = -ENOMEM;

	copy_text(why, STORE_WHY_MAX, "out of memory");
	if (j == NULL)
		goto out;
	r = fw_dfuse_load(&in, &image, NULL, &error);
	if (r < 0) {
		copy_text(why, STORE_WHY_MAX, error.text);
		goto out;
	}
	r = judge_loader(image, j);
	if (r == 0 && !j->accepted) {
		copy_text(why, STORE_WHY_MAX, judge_reason(j));
		r = -EINVAL;
	}
	if (r == 0) {
		*ret_image = image;
		image = NULL;
	}
out:
	image_unref(image);
	free(j);
	return r;
}

/* Of the boot loader's sector with an accepted image, which is one piece, in it. */
static void
sector_sha256(const struct image *image, char ret_hex[DIGEST_TEXT_MAX])
{
	const struct segment *s = image_segment(image, 0);
	uint8_t sector[CRAZYFLIE_LOADER_BYTES], sha256[DIGEST_BYTES];

	memset(sector, 0xFF, sizeof(sector));
	memcpy(sector, s->data, s->size);
	digest_bytes(sector, sizeof(sector), sha256);
	digest_format(sha256, ret_hex);
}

void
api_recover_loader(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	struct special wanted = { .call = call,
				  .kind = JOB_RECOVER_LOADER,
				  .fd = -1,
				  .force = param_flag(parameters, "force") };
	struct job_setup setup = { .kind = JOB_RECOVER_LOADER, .force = wanted.force };
	int fd = call_take_fd(call), slot = slot_parameter(a, call, parameters), r;
	const char *why = "Out of memory.";
	char reason[STORE_WHY_MAX];
	struct image *image = NULL;
	uint8_t *data = NULL;
	size_t size = 0;

	if (slot < 0)
		goto out;
	r = memfile_read(fd, PROTO_FILE_BYTES_MAX, &data, &size, &why);
	if (r < 0) {
		refuse_descriptor(call, r, why);
		goto out;
	}
	r = judge_bytes(data, size, param_text(parameters, "source_name"), &image, reason);
	if (r < 0) {
		call_error(call, PROTO_ERROR("ImageRefused"),
			   json_pack("{s:s, s:[]}", "reason", reason, "findings"));
		goto out;
	}
	setup.image = image;
	sector_sha256(image, setup.loader_sha256);
	start(a, call, (unsigned)slot, &wanted, &setup);
out:
	image_unref(image);
	free(data);
	if (fd >= 0)
		(void)close(fd);
}

/* ---- reading -------------------------------------------------------------------------------- */

void
api_backup(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	struct special wanted = { .call = call,
				  .kind = JOB_BACKUP,
				  .fd = call_take_fd(call),
				  .whole = param_flag(parameters, "whole") };
	int slot = slot_parameter(a, call, parameters);
	const char *why;

	if (slot < 0) {
		(void)close(wanted.fd);
		return;
	}
	if (memfile_claim_writable(wanted.fd, &why) < 0) {
		(void)close(wanted.fd);
		call_refuse(call, PROTO_ERROR("BadDescriptor"), "%s", why);
		return;
	}
	start(a, call, (unsigned)slot, &wanted, &(struct job_setup){ .kind = JOB_BACKUP });
}

/*
 * Up to the last byte that is not blank, rounded up to a word, as images are: what was flashed from
 * an image comes back as that image.
 */
static uint32_t
used_bytes(const uint8_t *data, uint32_t room)
{
	uint32_t length = room;

	while (length > 0 && data[length - 1] == 0xFF)
		length--;
	length = length > 0 ? (length + 3) / 4 * 4 : 4;
	return length < room ? length : room;
}

/* What a backup holds: all that was read, or the application alone. */
static struct segment
choose_range(const struct request *c, bool whole)
{
	struct segment s = { .addr = c->addr, .size = c->length, .data = c->data };

	if (!whole) {
		s.data += c->app_addr - c->addr;
		s.size = used_bytes(s.data, c->length - (c->app_addr - c->addr));
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

int
rescue_backup(void *ctx, const struct request *c)
{
	struct app *a = ctx;
	struct special *s = &a->specials[c->slot];
	struct segment segment = choose_range(c, !s->running || s->whole);
	struct log_about about = journal_slot(a, c->record->port);
	uint8_t *bytes = NULL, sha256[DIGEST_BYTES];
	size_t size = 0;
	int r = make_dump(segment, &bytes, &size);

	if (r == 0 && !s->running)
		r = backups_keep(a, c->record, bytes, size);
	else if (r == 0)
		s->error = memfile_write(s->fd, bytes, size);
	if (s->running) {
		/* WHY: not r then: the drone was read, and it is the client's file that fails. */
		if (r == 0 && s->error == 0) {
			digest_bytes(bytes, size, sha256);
			digest_format(sha256, s->sha256);
			s->bytes = size;
			s->addr = segment.addr;
			s->length = segment.size;
		}
	} else if (r < 0) {
		about.serial =
		    c->record->serial[0] != '\0' ? c->record->serial : c->record->dfu_serial;
		log_say(a->log, LOG_WARNING, &about, "its backup cannot be kept: %s", strerror(-r));
	}
	free(bytes);
	return r;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void
answer_backup(struct special *s, const struct job_record *r)
{
	if (s->error < 0) {
		call_refuse(s->call, PROTO_ERROR("BadDescriptor"),
			    "The drone was read, but the file that came with the call cannot be "
			    "written: %s.",
			    strerror(-s->error));
		return;
	}
	if (s->sha256[0] == '\0') {
		call_refuse(s->call, PROTO_ERROR("Failed"), "%s", r->message);
		return;
	}
	call_reply(s->call,
		   json_pack("{s:I, s:I, s:s, s:[{s:i, s:s, s:I, s:I}]}", "attempt",
			     (json_int_t)r->id, "bytes", (json_int_t)s->bytes, "sha256", s->sha256,
			     "elements", "target", 0, "target_name", "Internal Flash", "address",
			     (json_int_t)s->addr, "bytes", (json_int_t)s->length));
}

static void
rescue_ended(struct app *a, unsigned slot, const struct job_record *r)
{
	struct special *s = &a->specials[slot];

	if (!s->running)
		return;
	if (s->call != NULL && s->kind == JOB_BACKUP)
		answer_backup(s, r);
	else if (s->call != NULL)
		call_reply(s->call,
			   json_pack("{s:I, s:s, s:s}", "attempt", (json_int_t)r->id, "verdict",
				     verdict_name(r->verdict.kind), "message", r->message));
	if (s->fd >= 0)
		(void)close(s->fd);
	*s = (struct special){ .fd = -1 };
}

/* A rescue or reading that came to nothing before there was anything to record. */
static void
give_up_special(struct app *a, unsigned slot, const struct job_record *r, bool present)
{
	struct special *s = &a->specials[slot];

	if (!s->running)
		return;
	if (s->call != NULL)
		call_refuse(s->call, PROTO_ERROR("Failed"), "%s",
			    !present		    ? "Unplugged before anything was done."
			    : r->message[0] != '\0' ? r->message
						    : "It could not be begun.");
	if (s->fd >= 0)
		(void)close(s->fd);
	*s = (struct special){ .fd = -1 };
}

void
rescue_tell(void *ctx, const struct fleet_event *event)
{
	struct app *a = ctx;
	struct slot_view v;

	if (event->kind != EVENT_ENDED && event->kind != EVENT_SPECIAL_ENDED)
		return;
	if (event->kind == EVENT_ENDED || event->record->verdict.kind != VERDICT_NONE) {
		rescue_ended(a, event->slot, event->record);
		return;
	}
	fleet_view(a->fleet, event->slot, clock_now_us(), &v);
	give_up_special(a, event->slot, event->record, v.present);
}
