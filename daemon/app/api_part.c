/* SPDX-License-Identifier: MIT */
/* The parts of releases that DFU mode does not carry, over the control socket. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/api.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/selection.h"
#include "app/turns.h"
#include "cfdfu/proto.h"
#include "core/image.h"
#include "firmware/judge_part.h"

/* ---- type FirmwarePart ---------------------------------------------------------------------- */

struct part_rows {
	const struct services *sv;
	json_t *list;
	const char *target, *type; /* NULL: all of them */
};

static void
on_part(void *ctx, const struct store_part *p)
{
	struct part_rows *rows = ctx;
	char problem[STORE_WHY_MAX];

	if (rows->target != NULL &&
	    (strcmp(p->target, rows->target) != 0 || strcmp(p->type, rows->type) != 0))
		return;
	repository_part_trouble(rows->sv->repository, p, problem);
	(void)json_array_append_new(
	    rows->list, json_pack("{s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "target",
				  reply_text(p->target), "type", reply_text(p->type), "version",
				  reply_text(p->version), "bytes", (json_int_t)p->size_bytes, "use",
				  judge_part_use_name(judge_part_use(p->target)), "text",
				  judge_part_words(p->target, p->type), "soft_device",
				  reply_text(p->soft_device), "sha256", reply_text(p->file_sha256),
				  "problem", reply_text(problem), "signer", reply_text(p->signer)));
}

json_t *
api_parts(const struct services *sv, const char *firmware)
{
	struct part_rows rows = { sv, json_array(), NULL, NULL };

	(void)!store_part_each(sv->store, firmware, on_part, &rows); /* health says so */
	return rows.list;
}

/* ---- adding --------------------------------------------------------------------------------- */

/* A call of AddFirmwarePart. */
struct part_addition {
	const struct services *sv;
	struct call *call;
	struct store_part row;
	struct image_part part;
	struct api_file file;
	struct judgement judgement;
};

static bool
take_word(const struct part_addition *d, json_t *parameters, const char *name, char *dst,
	  size_t size)
{
	const char *text = param_text(parameters, name);
	size_t n = text != NULL ? strlen(text) : 0, i = 0;

	while (i < n && text[i] > ' ' && text[i] <= '~')
		i++;
	if (i < n || n >= size) {
		call_invalid(d->call, name);
		return false;
	}
	copy_text(dst, size, n > 0 ? text : "");
	return true;
}

static void
answer(struct part_addition *d)
{
	struct part_rows rows = { d->sv, json_array(), d->part.target, d->part.type };
	json_t *row;

	(void)!store_part_each(d->sv->store, d->row.firmware, on_part, &rows); /* then null */
	row = json_array_get(rows.list, 0);
	call_reply(d->call, json_pack("{s:O?, s:o}", "part", row, "findings",
				      judge_findings_json(&d->judgement)));
	json_decref(rows.list);
}

static void
keep(struct part_addition *d)
{
	enum loop_work before = turns_begin(d->sv->turns, LOOP_STORE);
	bool queued = false;
	int r = repository_add_part(d->sv->repository, &d->row, d->part.bytes, &queued);

	turns_end(d->sv->turns, before);
	if (r == -ENOENT) {
		refuse_unknown_firmware(d->call, d->row.firmware);
	} else if (r == -E2BIG) {
		call_refuse(d->call, PROTO_ERROR("Refused"), "%s has %d parts already.",
			    d->row.firmware, STORE_PARTS_MAX);
	} else if (r < 0) {
		refuse_store(d->call, d->sv->store, r,
			     queued ? "It is not in the catalogue yet, and will be as soon as the "
				      "records can be written"
				    : "It cannot be stored");
	} else {
		selection_renew(d->sv, d->row.firmware);
		answer(d);
	}
}

static void
judge_and_keep(struct part_addition *d, const char *soft_device)
{
	judge_part(&d->part, soft_device, &d->judgement);
	if (!d->judgement.accepted) {
		call_error(d->call, PROTO_ERROR("ImageRefused"),
			   json_pack("{s:s, s:o}", "reason", judge_reason(&d->judgement),
				     "findings", judge_findings_json(&d->judgement)));
		return;
	}
	d->row.target = d->part.target;
	d->row.type = d->part.type;
	d->row.version = d->part.version;
	d->row.soft_device = soft_device;
	d->row.size_bytes = d->part.length;
	d->row.signer = d->file.signer;
	keep(d);
}

/* Its bytes and the words on it, out of a signed release. */
static bool
take_from_release(struct part_addition *d, char soft_device[IMAGE_TEXT_MAX])
{
	const struct fw_release_facts *release = &d->file.facts->release;

	for (size_t i = 0; i < release->part_count; i++) {
		const struct fw_part *p = &release->parts[i];

		if (strcmp(p->part.target, d->part.target) == 0 &&
		    strcmp(p->part.type, d->part.type) == 0) {
			d->part = p->part;
			copy_text(soft_device, IMAGE_TEXT_MAX, p->soft_device);
			return true;
		}
	}
	call_refuse(d->call, PROTO_ERROR("Refused"), "The file has no part \"%s\" for %s.",
		    d->part.type, d->part.target);
	return false;
}

void
api_add_firmware_part(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const struct fw_input how = { .addr = FW_ADDR_DEFAULT,
				      .name = param_text(parameters, "name") };
	struct part_addition d = { .sv = sv, .call = call, .row.firmware = how.name };
	char soft_device[IMAGE_TEXT_MAX];

	if (!take_word(&d, parameters, "target", d.part.target, sizeof(d.part.target)) ||
	    !take_word(&d, parameters, "type", d.part.type, sizeof(d.part.type)) ||
	    !take_word(&d, parameters, "version", d.part.version, sizeof(d.part.version)) ||
	    !take_word(&d, parameters, "soft_device", soft_device, sizeof(soft_device)))
		return;
	recorder_look(sv->recorder, true);
	if (api_take_file(sv, call, PART_BYTES_MAX, &how, &d.file)) {
		d.part.bytes = d.file.data;
		d.part.length = (uint32_t)d.file.size;
		if (d.file.signer == NULL || take_from_release(&d, soft_device))
			judge_and_keep(&d, soft_device);
	}
	api_free_file(&d.file);
}
