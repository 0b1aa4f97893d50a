/* SPDX-License-Identifier: MIT */
/* The catalogue of firmware, over the control socket. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/api.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/selection.h"
#include "app/status.h"
#include "app/turns.h"
#include "cfdfu/proto.h"
#include "core/image.h"
#include "firmware/digest.h"
#include "wire/text.h"

/* ---- a row as JSON -------------------------------------------------------------------------- */

/* Notes are kept as a list in JSON; what is none is one note (rows of before did so). */
static json_t *
notes_of(const char *notes)
{
	json_t *list = notes != NULL ? json_loads(notes, 0, NULL) : NULL;

	if (json_is_array(list))
		return list;
	json_decref(list);
	list = json_array();
	if (notes != NULL && notes[0] != '\0')
		(void)json_array_append_new(list, text_json(notes));
	return list;
}

struct rows {
	const struct services *sv;
	json_t *list;
};

static json_t *
row_json(const struct services *sv, const struct store_firmware *f)
{
	char problem[STORE_WHY_MAX];

	repository_row_trouble(sv->repository, f, problem);
	return json_pack(
	    "{s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "name",
	    f->name, "sha256", f->sha256, "version", reply_text(f->version), "revision",
	    reply_text(f->revision), "platforms", judge_platforms_json(f->platforms), "bytes",
	    (json_int_t)f->size_bytes, "source_name", reply_text(f->source_name), "source_sha256",
	    reply_text(f->source_sha256), "notes", notes_of(f->notes), "added_at",
	    reply_time(f->added_ms), "added_by", reply_text(f->added_by), "incomplete",
	    f->incomplete, "problem", reply_text(problem), "signer", reply_text(f->signer));
}

struct users {
	json_t *rows; /* by name */
	const char *member;
};

static void
on_user(void *ctx, const char *key, const char *value)
{
	struct users *u = ctx;
	json_t *list = json_object_get(json_object_get(u->rows, value), u->member);

	(void)json_array_append_new(list, text_json(key));
}

static void
add_users_of(const struct services *sv, enum store_scope scope, const char *member, json_t *rows)
{
	struct users u = { rows, member };
	const char *name;
	json_t *row;

	json_object_foreach(rows, name, row)
		(void)json_object_set_new(row, member, json_array());
	(void)!store_each(sv->store, scope, on_user, &u); /* unreadable: health says so */
}

static void
add_quarantine(const struct services *sv, json_t *row)
{
	const char *why = status_quarantined(sv, json_string_value(json_object_get(row, "sha256")));

	(void)json_object_set_new(row, "quarantined", json_boolean(why != NULL));
	(void)json_object_set_new(row, "quarantined_why", reply_text(why));
}

/*
 * The store allows no call into it from its callbacks: the users of the rows are added afterwards,
 * and whether they are quarantined.
 */
static void
add_users(const struct services *sv, json_t *list)
{
	json_t *rows = json_object(), *row;
	size_t i;

	json_array_foreach(list, i, row) {
		(void)json_object_set(rows, json_string_value(json_object_get(row, "name")), row);
		add_quarantine(sv, row);
		(void)json_object_set_new(
		    row, "parts", api_parts(sv, json_string_value(json_object_get(row, "name"))));
	}
	add_users_of(sv, STORE_SELECTED, "selected_for", rows);
	add_users_of(sv, STORE_OWN, "own", rows);
	json_decref(rows);
}

static void
on_firmware(void *ctx, const struct store_firmware *f)
{
	struct rows *rows = ctx;

	(void)json_array_append_new(rows->list, row_json(rows->sv, f));
}

/* The row of this name, or NULL. */
json_t *
api_firmware_row(const struct services *sv, const char *name)
{
	struct rows rows = { sv, json_array() };
	json_t *row = NULL;

	if (store_firmware_find(sv->store, name, on_firmware, &rows) == 1)
		row = json_incref(json_array_get(rows.list, 0));
	add_users(sv, rows.list);
	json_decref(rows.list);
	return row;
}

/* ---- adding --------------------------------------------------------------------------------- */

/* As a list in JSON, without the last ones when there is no room for all. */
static void
join_notes(json_t *take_list, char *out, size_t size)
{
	json_t *list = take_list;
	char *text = NULL;

	out[0] = '\0';
	while (json_array_size(list) > 0) {
		text = json_dumps(list, JSON_COMPACT);
		if (text == NULL || strlen(text) < size)
			break;
		free(text);
		text = NULL;
		(void)json_array_remove(list, json_array_size(list) - 1); /* it is there */
	}
	if (text != NULL)
		copy_text(out, size, text);
	free(text);
	json_decref(list);
}

/* A call of AddFirmware. */
struct addition {
	const struct services *sv;
	struct call *call;
	json_t *parameters;
	char name[IMAGE_TEXT_MAX];
	struct repository_claim claim;
	struct api_file file; /* not signed: what its client says of it counts */
	struct judgement judgement;
	struct image *image;
};

/* The notes of the reading; before them what the operator's second word let pass. */
static json_t *
all_notes(const struct addition *d)
{
	const struct fw_facts *facts = d->file.facts;
	json_t *given = facts == NULL ? json_object_get(d->parameters, "notes") : NULL;
	json_t *list = given != NULL ? json_copy(given) : json_array();

	for (size_t i = 0; facts != NULL && i < facts->warning_count; i++)
		(void)json_array_append_new(list, text_json(facts->warnings[i]));
	for (size_t i = d->judgement.finding_count; i-- > 0;)
		if (d->judgement.findings[i].code == JUDGE_INCOMPLETE)
			(void)json_array_insert_new(list, 0,
						    text_json(d->judgement.findings[i].text));
	return list;
}

static int
add_row(struct addition *d, bool *ret_queued)
{
	const struct image_label *label = image_label(d->image);
	enum loop_work before = turns_begin(d->sv->turns, LOOP_STORE);
	char sha256[DIGEST_TEXT_MAX], notes[STORE_MESSAGE_MAX];
	struct store_firmware f = { .name = d->name,
				    .sha256 = sha256,
				    .source_name = param_text(d->parameters, "source_name"),
				    .source_sha256 = d->file.sha256,
				    .signer = d->file.signer,
				    .revision = label->revision,
				    .platforms = label->platforms,
				    .size_bytes = image_bytes(d->image),
				    .notes = notes,
				    .incomplete = judge_says(&d->judgement, JUDGE_INCOMPLETE),
				    .added_by = call_peer(d->call)->user };
	int r;

	if (d->file.signer == NULL)
		f.source_sha256 = param_text(d->parameters, "source_sha256");
	if (d->file.signer != NULL || label->version[0] != '\0')
		f.version = label->version;
	else
		f.version = param_text(d->parameters, "version");
	if (d->claim.told == PLATFORM_OTHER)
		f.platforms = BIT(PLATFORM_OTHER);
	else if (d->judgement.platforms != 0)
		f.platforms = d->judgement.platforms;
	digest_format(label->sha256, sha256);
	join_notes(all_notes(d), notes, sizeof(notes));
	r = repository_add(d->sv->repository, &f, d->file.data, d->file.size, ret_queued);
	turns_end(d->sv->turns, before);
	return r;
}

static void
add(struct addition *d)
{
	char why[STORE_WHY_MAX] = "";
	bool queued = false;
	int r = repository_judge(d->sv->repository, &d->claim, &d->image, &d->judgement, why);

	if (r < 0) {
		call_error(d->call, PROTO_ERROR("ImageRefused"),
			   json_pack("{s:s, s:o}", "reason", r == -ENOMEM ? "Out of memory." : why,
				     "findings", judge_findings_json(&d->judgement)));
		return;
	}
	r = add_row(d, &queued);
	if (r == -EEXIST)
		call_error(d->call, PROTO_ERROR("NameTaken"),
			   json_pack("{s:s, s:s}", "name", d->name, "reason",
				     "Another firmware has this name; choose one with --name."));
	else if (r < 0)
		refuse_store(d->call, d->sv->store, r,
			     queued ? "It is not in the catalogue yet, and will be as soon as the "
				      "records can be written"
				    : "It cannot be stored");
	else
		call_reply(d->call,
			   json_pack("{s:o, s:o}", "firmware", api_firmware_row(d->sv, d->name),
				     "findings", judge_findings_json(&d->judgement)));
	if (r == 0)
		selection_heal(d->sv);
	if (r == 0 && d->file.signer != NULL)
		selection_renew(d->sv, d->name); /* it may not have been signed before */
}

/* The name that was given, or the source's.  False: it is none. */
static bool
choose_name(const char *given, const char *source, char ret_name[IMAGE_TEXT_MAX])
{
	if (given != NULL)
		copy_text(ret_name, IMAGE_TEXT_MAX, given);
	else
		image_name_of_file(source, ret_name, IMAGE_TEXT_MAX);
	return (given == NULL || strlen(given) < IMAGE_TEXT_MAX) && image_name_is_fine(ret_name);
}

void
api_add_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	struct addition d = { .sv = sv, .call = call, .parameters = parameters };
	struct fw_input how = { .addr = FW_ADDR_DEFAULT, .name = d.name };

	d.claim.name = d.name;
	d.claim.incomplete = param_flag(parameters, "incomplete");
	if (!choose_name(param_text(parameters, "name"), param_text(parameters, "source_name"),
			 d.name)) {
		call_invalid(call, "name");
		return;
	}
	if (!param_platform(call, parameters, "platform", &d.claim.told) ||
	    !param_platform(call, parameters, "manifest", &d.claim.manifest))
		return;
	if (d.claim.told == PLATFORM_UNKNOWN && param_text(parameters, "selection") != NULL) {
		call_invalid(call, "platform"); /* WHY: it vouches for a file on a platform */
		return;
	}
	how.platform = d.claim.told;
	how.any_ids = d.claim.told == PLATFORM_OTHER;
	recorder_look(sv->recorder, true);
	if (api_take_file(sv, call, PROTO_FILE_BYTES_MAX, &how, &d.file)) {
		if (d.file.signer != NULL) /* what its client says does not count */
			d.claim.manifest = d.file.facts->release.platform;
		d.claim.data = d.file.data;
		d.claim.size = d.file.size;
		add(&d);
	}
	image_unref(d.image);
	api_free_file(&d.file);
}

/* error: of store_firmware_find(); 0 there is no such row. */
static void
refuse_row(struct call *call, const char *name, int error)
{
	if (error < 0)
		call_refuse(call, PROTO_ERROR("Degraded"), "The catalogue cannot be read now.");
	else
		refuse_unknown_firmware(call, name);
}

/* ---- looking -------------------------------------------------------------------------------- */

void
api_list_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	struct rows rows = { sv, json_array() };

	(void)parameters;
	if (store_firmware_each(sv->store, on_firmware, &rows) < 0) {
		json_decref(rows.list);
		refuse_row(call, NULL, -EIO);
		return;
	}
	add_users(sv, rows.list);
	call_reply(call, json_pack("{s:o}", "firmware", rows.list));
}

static void
on_nothing(void *ctx, const struct store_firmware *f)
{
	(void)ctx;
	(void)f;
}

/* A list of type Element. */
static json_t *
elements_of(const struct services *sv, const char *name)
{
	const struct folder_element *e = NULL;
	size_t count = repository_elements(sv->repository, name, &e);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_pack("{s:i, s:n, s:I, s:I}", "target",
							    (int)e[i].target, "target_name",
							    "address", (json_int_t)e[i].addr,
							    "bytes", (json_int_t)e[i].bytes));
	return list;
}

void
api_get_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name");
	json_t *row = api_firmware_row(sv, name);

	if (row == NULL)
		refuse_row(call, name, store_firmware_find(sv->store, name, on_nothing, NULL));
	else
		call_reply(call, json_pack("{s:o, s:o}", "firmware", row, "elements",
					   elements_of(sv, name)));
}

/* ---- removing ------------------------------------------------------------------------------- */

void
api_remove_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name");
	bool queued = false;
	int r;

	recorder_look(sv->recorder, true);
	r = store_firmware_find(sv->store, name, on_nothing, NULL);
	if (r <= 0) {
		refuse_row(call, name, r);
		return;
	}
	r = repository_remove(sv->repository, name, &queued);
	if (r == -EBUSY)
		call_error(call, PROTO_ERROR("InUse"),
			   json_pack("{s:s, s:s}", "name", name, "reason",
				     "It is selected; deselect it first."));
	else if (r < 0)
		refuse_store(call, sv->store, r,
			     queued ? "It is not removed yet, and will be as soon as the records "
				      "can be written"
				    : "It is not removed");
	else
		call_reply(call, json_object());
}

/* ---- quarantine ----------------------------------------------------------------------------- */

void
api_release_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name");
	json_t *row = api_firmware_row(sv, name);
	const char *sum = json_string_value(json_object_get(row, "sha256"));
	uint8_t sha256[DIGEST_BYTES];
	int r = digest_parse(sum != NULL ? sum : "", sha256)
		    ? quarantine_release_image(sv->quarantine, sha256)
		    : -ENOENT;

	if (row == NULL) {
		refuse_unknown_firmware(call, name);
	} else if (r == -ENOENT) {
		call_refuse(call, PROTO_ERROR("Refused"), "%s is not set aside.", name);
	} else if (r < 0) {
		refuse_store(call, sv->store, r, "It cannot be released");
	} else {
		(void)recorder_commit(sv->recorder);
		call_reply(call, json_pack("{s:o, s:b}", "firmware", api_firmware_row(sv, name),
					   "paused", fleet_paused(sv->fleet)));
	}
	json_decref(row);
}
