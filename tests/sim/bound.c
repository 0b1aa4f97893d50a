/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/bound.h"

#define BLOCK_BYTES 2048

struct hub_time {
	uint64_t enumeration_us; /* of one device */
	uint64_t before_us;	 /* plugged in -> in DFU mode and enumerated, alone */
	uint64_t dfu_us;
	uint64_t after_us; /* told to leave -> back and enumerated, alone */
	uint64_t load_us;  /* of the translator, by one drone */
};

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
time_hub(const struct bound_rack *r, const struct bound_hub *h, struct hub_time *t)
{
	const struct drone_timing *timing = &r->drone->timing;
	const struct world_translators *tt = r->translators;
	struct drone_floor f;

	drone_floor(r->drone, &r->image, 1, 1, &f);
	t->enumeration_us = h->root ? r->kernel->root_us : r->kernel->hub_us;
	t->after_us = timing->boot_min_ms * 1000 + t->enumeration_us;
	t->before_us = t->after_us + timing->gap_min_ms * 1000 + t->enumeration_us;
	t->load_us = 0;
	if (!h->root && tt->exclusive_us > 0) {
		f.send_us = f.read_us =
		    (uint64_t)(tt->block_us - timing->control_us) * r->image.length / BLOCK_BYTES;
		t->load_us = 2ULL * tt->exclusive_us * r->image.length / BLOCK_BYTES;
	}
	t->dfu_us = f.erase_us + f.program_us + f.send_us + f.read_us;
}

static unsigned
drones_beside(const struct bound_rack *r, unsigned controller)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->hub_count; i++)
		n += r->hubs[i].controller == controller ? r->hubs[i].drones : 0;
	return n;
}

/* The worker, or the lock, enumerates the drones of a hub this often; one alone needs as long. */
static uint64_t
passes_us(const struct bound_rack *r, const struct bound_hub *h, uint64_t enumeration_us,
	  unsigned passes)
{
	uint64_t lock = r->kernel->address_us;
	uint64_t hub = passes * h->drones * enumeration_us;
	uint64_t controller =
	    passes * drones_beside(r, h->controller) * lock + enumeration_us - lock;

	return enumeration_us > 0 ? larger(hub, controller) : 0;
}

static void
add_hub(const struct bound_rack *r, const struct bound_hub *h, struct bound *b)
{
	uint64_t boot = r->drone->timing.boot_min_ms * 1000ULL;
	uint64_t gap = r->drone->timing.gap_min_ms * 1000ULL, pass, twice, e;
	struct hub_time t;

	time_hub(r, h, &t);
	e = t.enumeration_us;
	pass = passes_us(r, h, e, 1);
	b->dfu_us = larger(b->dfu_us, t.dfu_us);
	b->life_us = larger(b->life_us, t.before_us + t.dfu_us + t.after_us);
	b->translator_us =
	    larger(b->translator_us, t.before_us + h->drones * t.load_us + t.after_us);
	b->hub_us = larger(b->hub_us, boot + 3 * h->drones * e);
	twice = larger(pass + gap + e, passes_us(r, h, e, 2));
	b->twice_us = larger(b->twice_us, boot + twice + t.dfu_us + t.after_us);
	if (e == 0)
		return;
	b->controller_us = larger(b->controller_us, boot + 3ULL * r->kernel->address_us *
							       drones_beside(r, h->controller));
	b->last_us = larger(b->last_us, boot + pass + gap + e + t.dfu_us + t.after_us);
}

void
bound_of(const struct bound_rack *r, struct bound *ret_bound)
{
	struct bound b = { 0 };

	for (size_t i = 0; i < r->hub_count; i++)
		add_hub(r, &r->hubs[i], &b);
	b.all_us = larger(larger(b.life_us, b.last_us), b.translator_us);
	b.all_us = larger(b.all_us, larger(b.hub_us, b.controller_us));
	*ret_bound = b;
}
