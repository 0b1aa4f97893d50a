/* SPDX-License-Identifier: MIT */
/* The methods RecoverLoader and Backup: answered when the job has ended. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/acts.h"
#include "app/api.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/rescue.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"
#include "ctl/memfile.h"
#include "firmware/digest.h"

/* The slot that is meant, or -1 after having answered. */
static int
slot_parameter(const struct services *sv, struct call *call, json_t *parameters)
{
	struct target t;
	int slot = 0;

	if (!api_find_slots(sv, call, param_text(parameters, "slot"), &t))
		return -1;
	if (api_refuse_several(call, &t))
		return -1;
	while (!t.slots[slot])
		slot++;
	return slot;
}

static void
begin(struct services *sv, struct call *call, int slot, const struct rescue_request *take_request)
{
	int r = rescue_begin(sv->rescue, (unsigned)slot, take_request);

	if (r == 0)
		acts_begun(sv, call);
	else
		call_refuse(call, r == -EBUSY ? PROTO_ERROR("Busy") : PROTO_ERROR("Refused"),
			    "Not begun: %s.", api_why_not(r));
}

/* ---- the boot loader ------------------------------------------------------------------------ */

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
	struct services *sv = ctx;
	struct rescue_request request = { .owner = call,
					  .setup = { .kind = JOB_RECOVER_LOADER,
						     .force = param_flag(parameters, "force") },
					  .fd = -1 };
	int slot = slot_parameter(sv, call, parameters);
	char reason[STORE_WHY_MAX];
	struct image *image = NULL;
	struct repository_claim claim = { .name = param_text(parameters, "source_name") };
	const struct fw_input how = { .addr = CRAZYFLIE_LOADER_ADDR, .name = claim.name };
	struct api_file file = { .data = NULL };

	if (slot < 0 || !api_take_file(sv, call, PROTO_FILE_BYTES_MAX, &how, &file))
		goto out;
	claim.data = file.data;
	claim.size = file.size;
	claim.signer = file.signer;
	if (repository_judge_loader(&claim, &image, reason) < 0) {
		call_error(call, PROTO_ERROR("ImageRefused"),
			   json_pack("{s:s, s:[]}", "reason", reason, "findings"));
		goto out;
	}
	request.setup.image = image;
	sector_sha256(image, request.setup.loader_sha256);
	begin(sv, call, slot, &request);
out:
	image_unref(image);
	api_free_file(&file);
}

/* ---- reading -------------------------------------------------------------------------------- */

void
api_backup(void *ctx, struct call *call, json_t *parameters)
{
	struct services *sv = ctx;
	struct rescue_request request = { .owner = call,
					  .setup = { .kind = JOB_BACKUP },
					  .fd = call_take_fd(call),
					  .whole = param_flag(parameters, "whole") };
	int slot = slot_parameter(sv, call, parameters);
	const char *why;

	if (slot < 0) {
		(void)close(request.fd);
		return;
	}
	if (memfile_claim_writable(request.fd, &why) < 0) {
		(void)close(request.fd);
		call_refuse(call, PROTO_ERROR("BadDescriptor"), "%s", why);
		return;
	}
	begin(sv, call, slot, &request);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void
answer_backup(struct call *call, const struct rescue_result *result)
{
	if (result->error < 0)
		call_refuse(call, PROTO_ERROR("BadDescriptor"),
			    "The drone was read, but the file that came with the call cannot be "
			    "written: %s.",
			    strerror(-result->error));
	else if (result->sha256[0] == '\0')
		call_refuse(call, PROTO_ERROR("Failed"), "%s", result->record->message);
	else
		call_reply(call, json_pack("{s:I, s:I, s:s, s:[{s:i, s:s, s:I, s:I}]}", "attempt",
					   (json_int_t)result->record->id, "bytes",
					   (json_int_t)result->bytes, "sha256", result->sha256,
					   "elements", "target", 0, "target_name", "Internal Flash",
					   "address", (json_int_t)result->addr, "bytes",
					   (json_int_t)result->length));
}

void
api_rescue_ended(void *owner, const struct rescue_result *result)
{
	const struct job_record *r = result->record;
	struct call *call = owner;

	if (result->kind == JOB_DECK || result->kind == JOB_EEPROM)
		api_jobs_ended(call, result);
	else if (result->trouble != NULL)
		call_refuse(call, PROTO_ERROR("Failed"), "%s", result->trouble);
	else if (result->kind == JOB_BACKUP)
		answer_backup(call, result);
	else
		call_reply(call,
			   json_pack("{s:I, s:s, s:s}", "attempt", (json_int_t)r->id, "verdict",
				     verdict_name(r->verdict.kind), "message", r->message));
}
