/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/complain.h"

#include <string.h>

#include "client/command.h"
#include "client/out.h"

static void
say_not_permitted(const json_t *p)
{
	struct text group = out_text(p, "group");

	say_error(
	    "permission denied: only root and members of the group %s may change things here; "
	    "use sudo, or join the group: sudo usermod -aG %s $USER, then log in again",
	    group.s, group.s);
}

void
complain_findings(const json_t *findings, const char *reason)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(findings, i, finding) {
		struct text text = out_text(finding, "text"), level = out_text(finding, "level");

		if (strcmp(text.s, reason) != 0)
			say_note("  %s: %s", level.s, text.s);
	}
}

static void
say_image_refused(const json_t *p)
{
	struct text reason = out_text(p, "reason");

	say_error("the image is refused: %s", reason.s);
	complain_findings(json_object_get(p, "findings"), reason.s);
}

static void
say_other_version(const json_t *p)
{
	struct text method = out_text(p, "method");

	say_error("the service does not know %s: it is of another version than this cfdfuctl (%s); "
		  "install the same version of both and restart the service",
		  method.s, PACKAGE_VERSION);
}

static void
say_no(const json_t *p, const char *what, const char *key)
{
	struct text name = out_text(p, key), reason = out_text(p, "reason");

	if (reason.s[0] != '\0')
		say_error("there is no %s \"%s\": %s", what, name.s, reason.s);
	else if (out_is_int(p, key))
		say_error("there is no %s %lld", what, (long long)out_int(p, key));
	else if (name.s[0] == '\0') /* the newest, where there is none */
		say_error("there is no %s", what);
	else
		say_error("there is no %s \"%s\"", what, name.s);
}

static const struct {
	const char *error;
	const char *what, *key;
} missing[] = {
	{ PROTO_ERROR("NoSuchSlot"), N_("slot or drone"), "target" },
	{ PROTO_ERROR("NoSuchFirmware"), N_("firmware"), "name" },
	{ PROTO_ERROR("NoSuchAttempt"), N_("attempt"), "id" },
	{ PROTO_ERROR("NoSuchDrone"), N_("drone"), "serial" },
	{ PROTO_ERROR("NoSuchBatch"), N_("batch"), "name" },
};

static void
say_ambiguous(const json_t *p)
{
	const json_t *candidates = json_object_get(p, "candidates");
	struct text target = out_text(p, "target");

	say_error("\"%s\" is the beginning of several serials; say more of the one that you mean:",
		  target.s);
	for (size_t i = 0; i < json_array_size(candidates); i++)
		say_note("  %s", out_item(candidates, i).s);
}

static void
say_sentence(const char *error, const json_t *p)
{
	struct text reason = out_text(p, "reason");

	for (size_t i = 0; i < ARRAY_LEN(missing); i++)
		if (strcmp(error, missing[i].error) == 0) {
			say_no(p, missing[i].what, missing[i].key);
			return;
		}
	if (strcmp(error, PROTO_ERROR("NotPermitted")) == 0)
		say_not_permitted(p);
	else if (strcmp(error, PROTO_ERROR("ImageRefused")) == 0)
		say_image_refused(p);
	else if (strcmp(error, PROTO_ERROR("AmbiguousTarget")) == 0)
		say_ambiguous(p);
	else if (strcmp(error, PROTO_ERROR("Degraded")) == 0)
		say_error("the station is degraded and flashes nothing: %s; see: cfdfuctl doctor",
			  reason.s);
	else if (strcmp(error, PROTO_SERVICE ".InvalidParameter") == 0)
		say_error("invalid value for %s", out_text(p, "parameter").s);
	else if (strcmp(error, PROTO_SERVICE ".MethodNotFound") == 0)
		say_other_version(p);
	else if (reason.s[0] != '\0')
		say_error("%s", reason.s);
	else
		say_error("the service refuses: %s", error);
}

int
complain(const struct session *s, const char *error, json_t *parameters)
{
	if (s->json)
		say_document(error, json_incref(parameters));
	else
		say_sentence(error, parameters);
	if (strcmp(error, PROTO_SERVICE ".InvalidParameter") == 0)
		return EXIT_USAGE;
	return strcmp(error, PROTO_ERROR("Failed")) == 0 ? EXIT_DRONE_FAILED : EXIT_REFUSED;
}
