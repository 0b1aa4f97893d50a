/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/whole.h"

#include <inttypes.h>

#include "app/reply.h"
#include "app/services.h"
#include "core/fleet.h"
#include "wire/text.h"

static json_t *
remaining(const struct readiness *r, const char *port)
{
	json_t *list = json_array();

	for (enum rest i = 0; i < REST_COUNT; i++)
		if ((r->rests & BIT(i)) != 0)
			(void)json_array_append_new(list, json_pack("{s:s, s:o}", "what",
								    rest_name(i), "text",
								    reply_words(r->text[i], port)));
	return list;
}

static json_t *
selftest(enum selftest s)
{
	switch (s) {
	case SELFTEST_PASS:
		return json_string("pass");
	case SELFTEST_FAIL:
		return json_string("fail");
	case SELFTEST_UNKNOWN:
		break;
	}
	return json_null();
}

/* wanted: of the release that is selected for it now. */
static json_t *
nrf(const struct services *sv, unsigned slot, const char *version)
{
	const struct image_part *part;
	struct fleet_plan plan;

	fleet_plan(sv->fleet, slot, fleet_policy(sv->fleet), &plan);
	part = image_part_for(plan.image, "nrf51");
	if (version[0] == '\0' && part == NULL)
		return json_null();
	return json_pack("{s:o, s:o}", "version", reply_text(version), "wanted",
			 reply_text(part != NULL ? part->version : NULL));
}

json_t *
whole_decks(const struct condition *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->deck_count; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:o, s:s, s:o}", "name", text_json(c->decks[i].name), "state",
				    deck_state_name(c->decks[i].state), "version",
				    reply_text(c->decks[i].version)));
	return list;
}

json_t *
whole_radio(const struct radio_block *b)
{
	static const char *const rates[] = { "250K", "1M", "2M" };
	char address[16];

	if (!b->valid || b->rate >= ARRAY_LEN(rates))
		return json_null();
	(void)snprintf(address, sizeof(address), "%010" PRIX64,
		       b->address & UINT64_C(0xFFFFFFFFFF));
	return json_pack("{s:i, s:s, s:s}", "channel", (int)b->channel, "rate", rates[b->rate],
			 "address", address);
}

char *
whole_text(json_t *take_value)
{
	char *text = json_is_null(take_value) ? NULL : json_dumps(take_value, JSON_COMPACT);

	json_decref(take_value);
	return text;
}

json_t *
whole_slot(const struct services *sv, unsigned slot, const struct slot_view *v)
{
	const struct condition *c = v->condition;
	const struct readiness *r = v->readiness;

	return json_pack(
	    "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "ready", ready_name(r->ready),
	    "ready_note", r->unknown[0] != '\0' ? reply_words(r->unknown, v->port) : json_null(),
	    "remaining", remaining(r, v->port), "selftest", selftest(c->selftest), "nrf",
	    nrf(sv, slot, c->nrf_version), "decks", whole_decks(c), "radio", whole_radio(&c->radio),
	    "battery_mv", reply_number(c->battery_mv, 0), "crash", reply_text(c->crash));
}
