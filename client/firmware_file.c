/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/firmware_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/complain.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/remote.h"
#include "core/platform.h"
#include "firmware/fw_make.h"
#include "firmware/judge_json.h"
#include "firmware/signature.h"
#include "wire/text.h"

/* The refusal, for people or (as the service's error would be) for programs. */
static int
refuse(const struct session *s, const char *file, const char *reason, json_t *take_findings)
{
	if (s->json) {
		say_document(PROTO_ERROR("ImageRefused"),
			     json_pack("{s:o, s:o}", "reason", text_json(reason), "findings",
				       take_findings));
		return EXIT_REFUSED;
	}
	say_error("%s: %s", file, reason);
	complain_findings(take_findings, reason);
	json_decref(take_findings);
	return EXIT_REFUSED;
}

int
firmware_file_options(const struct invocation *i, struct firmware_options *wanted)
{
	const char *platform = invocation_value(i, "platform");
	uint64_t addr;
	int r;

	wanted->application = invocation_has(i, "application");
	if (wanted->application)
		wanted->addr = CRAZYFLIE_LOADER_ADDR; /* where a copy of the whole flash begins */
	addr = wanted->addr;
	r = invocation_number(i, "address", 0, UINT32_MAX, &addr);
	if (r != 0)
		return r;
	wanted->addr = (uint32_t)addr;
	wanted->user_platform = platform_by_name(platform);
	return params_check_platform(i, platform, false);
}

int
firmware_file_each(const struct session *s, const struct invocation *i,
		   int (*run_one)(const struct session *s, const struct invocation *i,
				  const char *path))
{
	int worst = 0;

	for (int n = 0; n < i->arg_count; n++) {
		int r = run_one(s, i, i->args[n]);

		worst = r > worst ? r : worst;
		if (r == EXIT_USAGE || r == EXIT_NO_DAEMON)
			break;
	}
	return worst;
}

int
firmware_file_open(const struct session *s, const char *path, const struct firmware_options *wanted,
		   struct firmware_file *ret_file)
{
	struct firmware_file *d = ret_file;
	struct fw_input in = { .addr = wanted->addr,
			       .platform = wanted->user_platform,
			       .any_ids = wanted->any_ids,
			       .application_only = wanted->application };
	struct fw_error error = { .text = "its SHA-256 is another one than selection.json has" };
	char why[FILE_WHY_MAX];
	uint8_t sum[DIGEST_BYTES];
	int r;

	*d = (struct firmware_file){ .path = path, .user_platform = wanted->user_platform };
	text_clean(d->source_name, sizeof(d->source_name),
		   file_base_name(wanted->source != NULL ? wanted->source : path));
	r = file_read(path, FW_FILE_BYTES_MAX, &d->data, &d->bytes, why);
	if (r != 0)
		return refuse(s, strcmp(path, "-") == 0 ? d->source_name : path, why, json_array());
	digest_bytes(d->data, d->bytes, sum);
	digest_format(sum, d->source_sha256);
	in.data = d->data;
	in.size = d->bytes;
	in.name = d->source_name;
	r = wanted->sha256 != NULL && strcmp(wanted->sha256, d->source_sha256) != 0
		? -EINVAL
		: fw_load(&in, &d->image, &d->facts, &error);
	if (r < 0) {
		r = refuse(s, d->source_name, error.text, json_array());
		firmware_file_close(d);
	}
	return r;
}

int
firmware_file_judge(struct firmware_file *d, bool as_loader)
{
	struct judge_options o = { .manifest = d->facts->release.platform,
				   .user_platform = d->user_platform,
				   .incomplete = d->incomplete };
	int r;

	d->as_loader = as_loader;
	if (d->user_platform == PLATFORM_OTHER)
		o.device = judge_any_device();
	r = as_loader ? judge_loader(d->image, &d->judgement)
		      : judge_image(d->image, &o, &d->judgement);
	return r < 0 ? say_no_memory() : 0;
}

int
firmware_file_read_signature(const struct session *s, const struct invocation *i,
			     struct firmware_file *d)
{
	const char *given = invocation_value(i, "signature");
	char path[PATH_MAX], why[FILE_WHY_MAX];
	size_t size;

	if (given != NULL) {
		d->signature = strdup(given);
		return d->signature != NULL ? 0 : say_no_memory();
	}
	(void)snprintf(path, sizeof(path), "%s" SIGNATURE_ENDING, d->path);
	if (strcmp(d->path, "-") == 0 || access(path, F_OK) < 0)
		return 0;
	if (file_read(path, SIGNATURE_TEXT_MAX, (uint8_t **)&d->signature, &size, why) != 0)
		return refuse(s, path, why, json_array());
	return 0;
}

int
firmware_file_send(const struct session *s, const struct firmware_file *f, const char *method,
		   struct params *take_p, json_t **ret_reply)
{
	uint8_t *bytes = NULL;
	size_t count = 0;
	int fd = -1, r = 0;

	params_text(take_p, "signature", f->signature);
	params_text(take_p, "selection", f->selection);
	if (f->signature == NULL && fw_make_from_image(f->image, &bytes, &count) < 0)
		r = say_no_memory();
	if (r == 0)
		r = f->signature != NULL ? file_seal(f->data, f->bytes, &fd)
					 : file_seal(bytes, count, &fd);
	if (r == 0)
		r = conn_ask_with(s, method, take_p, fd, ret_reply);
	else
		params_done(take_p);
	if (fd >= 0)
		(void)close(fd);
	free(bytes);
	return r;
}

static int
send_part(const struct session *s, const char *name, const struct firmware_file *d,
	  const struct fw_part *part, json_t *list)
{
	struct params p = params_new();
	json_t *reply = NULL;
	int fd = -1, r;

	params_text(&p, "name", name);
	params_text(&p, "target", part->part.target);
	params_text(&p, "type", part->part.type);
	params_text(&p, "version", part->part.version[0] != '\0' ? part->part.version : NULL);
	params_text(&p, "soft_device", part->soft_device[0] != '\0' ? part->soft_device : NULL);
	params_text(&p, "signature", d->signature);
	params_text(&p, "selection", d->selection);
	r = d->signature != NULL ? file_seal(d->data, d->bytes, &fd)
				 : file_seal(part->part.bytes, part->part.length, &fd);
	if (r == 0)
		r = conn_ask_with(s, PROTO_METHOD("AddFirmwarePart"), &p, fd, &reply);
	else
		params_done(&p);
	if (r == 0)
		(void)json_array_append(list, json_object_get(reply, "part"));
	if (fd >= 0)
		(void)close(fd);
	json_decref(reply);
	return r;
}

int
firmware_file_send_parts(const struct session *s, const struct firmware_file *d, json_t *reply)
{
	const struct fw_release_facts *f = &d->facts->release;
	json_t *row = json_object_get(reply, "firmware"), *list = json_array();
	const char *name = out_string(row, "name");
	int worst = 0;

	for (size_t i = 0; i < f->part_count && name != NULL; i++) {
		int r = send_part(s, name, d, &f->parts[i], list);

		if (r != 0)
			say_note("not stored: the part for %s (%s)", f->parts[i].part.target,
				 f->parts[i].file);
		worst = r > worst ? r : worst;
	}
	if (json_array_size(list) > 0)
		(void)json_object_set(row, "parts", list);
	json_decref(list);
	return worst;
}

int
firmware_file_send_on(const struct session *s, const struct firmware_file *f,
		      struct invocation *there)
{
	int fd = -1, r = file_seal(f->data, f->bytes, &fd);

	if (r != 0)
		return r;
	if (!invocation_has(there, "source"))
		invocation_set(there, "source", f->source_name);
	if (f->signature != NULL)
		invocation_set(there, "signature", f->signature);
	r = remote_run(s, there, fd, -1);
	(void)close(fd);
	return r;
}

int
firmware_file_refuse(const struct session *s, const struct firmware_file *d)
{
	const struct judgement *j = &d->judgement;

	return refuse(s, d->source_name, judge_reason(j), judge_findings_json(j));
}

void
firmware_file_close(struct firmware_file *d)
{
	image_unref(d->image);
	fw_facts_free(d->facts);
	free(d->data);
	free(d->signature);
	*d = (struct firmware_file){ .path = NULL };
}
