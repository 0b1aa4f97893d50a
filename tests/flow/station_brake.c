/* SPDX-License-Identifier: MIT */
/*
 * I19, the brake: after so many different drones were harmed alike by one image in a row, no erase
 * begins with it.  Own reading of the rule, from the rows on disk; only drones that say who they
 * are count, so that the fleet may stop earlier than this, but never later.
 */
#include "config.h"

#include "flow/station.h"

#include "flow/station_parts.h"

static bool
harms(const struct station_row *row)
{
	const struct verdict *v = &row->verdict;

	return v->kind == VERDICT_FAIL && !row->record.common &&
	       (v->fault == FAULT_NO_BOOT || v->fault == FAULT_WRONG_VERSION ||
		v->fault == FAULT_VERIFY ||
		(v->fault == FAULT_SILENT && v->step == STEP_CONFIRMING));
}

static bool
is_barred(const struct station *s, const uint8_t *sha256)
{
	for (size_t i = 0; i < s->barred_count; i++)
		if (memcmp(s->barred[i], sha256, IMAGE_SHA256_BYTES) == 0)
			return true;
	return false;
}

/* The next ending on disk after this order, or the last one before it; NULL: none that counts. */
static const struct station_row *
neighbour(const struct station *s, uint64_t order, bool after)
{
	const struct station_row *best = NULL;

	for (size_t i = 0; i < s->row_count; i++) {
		const struct station_row *row = &s->rows[i];

		if (!row->verdict_durable || row->order <= s->harm_from || !row->has_image ||
		    (after ? row->order <= order : row->order >= order))
			continue;
		if (best == NULL || (after ? row->order < best->order : row->order > best->order))
			best = row;
	}
	return best;
}

/* How many different drones this image has harmed like the last one, since one passed with it. */
static unsigned
harmed(const struct station *s, const struct station_row *last)
{
	const char *serials[STATION_PORTS_MAX];
	const struct station_row *row = last;
	unsigned n = 0;

	for (; row != NULL && n < STATION_PORTS_MAX; row = neighbour(s, row->order, false)) {
		unsigned k = 0;

		if (memcmp(row->sha256, last->sha256, sizeof(row->sha256)) != 0)
			continue;
		if (row->verdict.kind == VERDICT_PASS || row->verdict.kind == VERDICT_UNCHANGED)
			break;
		if (!harms(row) || row->verdict.fault != last->verdict.fault ||
		    strlen(row->serial) != 24 || row->record.dup_serial)
			continue;
		while (k < n && strcmp(serials[k], row->serial) != 0)
			k++;
		if (k == n)
			serials[n++] = row->serial;
	}
	return n;
}

void
brake_told(struct station *s, const struct job_record *r)
{
	const struct station_row *row = disk_row(s, r->id);
	unsigned limit = s->options.fleet.brake;

	if (limit == 0 || row == NULL || r->kind != JOB_UPDATE || !row->has_image || !harms(row) ||
	    is_barred(s, row->sha256) || harmed(s, row) < limit)
		return;
	if (!fleet_paused(s->fleet) ||
	    policy_quarantined(fleet_policy(s->fleet), row->sha256) == NULL)
		station_break(s, "I19: %u drones were harmed alike and the station goes on", limit);
	if (s->barred_count < STATION_IMAGES_MAX)
		memcpy(s->barred[s->barred_count++], row->sha256, IMAGE_SHA256_BYTES);
}

void
brake_check(struct station *s, const char *port, const struct image *image)
{
	const uint8_t *sha256 = image_label(image)->sha256;

	if (is_barred(s, sha256) || policy_quarantined(fleet_policy(s->fleet), sha256) != NULL)
		station_break(s, "I19: %s is changed with a quarantined image", port);
}

/* Gives the fleet the state that a daemon reads from the records when it starts. */
void
brake_restarted(struct station *s, struct fleet *old)
{
	const struct station_row *row;

	for (size_t i = 0; i < s->image_count; i++) {
		const uint8_t *sha256 = image_label(s->images[i])->sha256;
		const char *reason = policy_quarantined(fleet_policy(old), sha256);

		if (reason != NULL && policy_quarantine(fleet_policy(s->fleet), sha256, reason) < 0)
			station_break(s, "I19: too many images are quarantined");
	}
	if (s->braked)
		fleet_pause(s->fleet);
	for (row = neighbour(s, 0, true); row != NULL; row = neighbour(s, row->order, true)) {
		struct update_ending e = { .sha256 = row->sha256,
					   .firmware = "",
					   .verdict = row->verdict,
					   .serial = row->record.dup_serial ? "" : row->serial,
					   .dfu_serial = "",
					   .port = row->port };

		if (!row->record.common)
			fleet_recall(s->fleet, &e, station_now_us(s));
	}
}

bool
station_release_image(struct station *s, const struct image *image)
{
	bool was = fleet_release_image(s->fleet, image_label(image)->sha256, station_now_us(s));

	for (size_t i = 0; i < s->barred_count; i++)
		if (memcmp(s->barred[i], image_label(image)->sha256, IMAGE_SHA256_BYTES) == 0)
			memmove(s->barred[i], s->barred[i + 1],
				(--s->barred_count - i) * IMAGE_SHA256_BYTES);
	s->harm_from = s->ending_total;
	station_dispatch(s);
	return was;
}
