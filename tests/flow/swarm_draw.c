/* SPDX-License-Identifier: MIT */
/*
 * The meaning of one seed: swarm testing, in which each seed first draws which kinds of faults are
 * possible at all (doc/faults.md A10).
 */
#include "config.h"

#include "flow/swarm.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/platform.h"
#include "sim/rng.h"

#define MS 1000ULL
#define SECOND 1000000ULL

static const char *const deed_names[DEED_COUNT] = {
	[DEED_PLUG] = "plug",
	[DEED_UNPLUG] = "unplug",
	[DEED_REPLUG] = "replug",
	[DEED_GLITCH] = "glitch",
	[DEED_HUB] = "hub",
	[DEED_CYCLE] = "cycle",
	[DEED_BUTTON] = "button",
	[DEED_MOVE] = "move",
	[DEED_FLAP] = "flap",
	[DEED_FATE] = "fate",
	[DEED_RETRY] = "retry",
	[DEED_FORCE] = "force",
	[DEED_RELEASE] = "release",
	[DEED_BACKUP] = "backup",
	[DEED_PAUSE] = "pause",
	[DEED_RESUME] = "resume",
	[DEED_SELECT] = "select",
	[DEED_KILL] = "kill",
	[DEED_STOP] = "stop",
	[DEED_SLEEP] = "sleep",
	[DEED_DISK_ERROR] = "disk-error",
	[DEED_DISK_SLOW] = "disk-slow",
	[DEED_DISK_GOOD] = "disk-good",
	[DEED_IDENTIFY] = "identify",
	[DEED_DECK] = "deck",
	[DEED_RADIO] = "radio",
};

const char *
deed_name(enum deed_kind kind)
{
	return (unsigned)kind < DEED_COUNT ? deed_names[kind] : NULL;
}

/* ---- the station ------------------------------------------------------------------------- */

static void
draw_options(struct swarm_plan *p, struct rng *r)
{
	struct job_options *j = &p->options.fleet.job;
	struct sched_limits *l = &p->options.fleet.limits;

	station_options_init(&p->options, p->seed);
	j->adopt = (enum job_adopt)RNG_PICK(r, JOB_ADOPT_RECOGNISED, JOB_ADOPT_RECOGNISED,
					    JOB_ADOPT_RECOGNISED, JOB_ADOPT_KNOWN, JOB_ADOPT_PORT,
					    JOB_ADOPT_NEVER);
	j->skip =
	    (enum job_skip)RNG_PICK(r, JOB_SKIP_READBACK, JOB_SKIP_READBACK, JOB_SKIP_READBACK,
				    JOB_SKIP_READBACK, JOB_SKIP_VERSION, JOB_SKIP_NEVER);
	j->obey = rng_chance(r, 15);
	j->word = rng_chance(r, 12);
	j->leave_loader = rng_chance(r, 15);
	j->light = rng_chance(r, 80);
	j->backup = rng_chance(r, 4);
	j->dfu_timeout_us = RNG_PICK(r, 10000000, 10000000, 3000000);
	j->boot_timeout_us = RNG_PICK(r, 10000000, 10000000, 4000000);
	j->attempt_timeout_us = RNG_PICK(r, 180000000, 180000000, 120000000);
	l->switch_max = RNG_PICK(r, 8, 8, 1, 2, 0);
	l->writers_max = RNG_PICK(r, 8, 8, 1, 2, 0);
	l->active_max = RNG_PICK(r, 0, 0, 0, 1, 5);
	l->endpoints_max = RNG_PICK(r, 96, 96, 24, 7, 0);
	l->stagger_us = RNG_PICK(r, 30000, 0, 200000);
	p->options.fleet.quarantine = RNG_PICK(r, 3, 3, 1, 2, 0);
	/* WHY not drawn: the seeds that once found something go on meaning what they meant. */
	p->options.fleet.brake = (const unsigned[]){ 3, 2, 0, 1, 3 }[p->seed / 3 % 5];
	p->options.commit_us = RNG_PICK(r, 0, 160, 160, 20000, 500000);
	l->blocks_learned = p->seed % 2 == 1;
	if (p->seed % 4 == 1) {
		world_translators_init(&p->options.translators, WORLD_THRASHING);
		p->options.translators.crowd = 1;
		p->options.translators.crowd_permille = 2000;
	}
}

/* ---- the drones -------------------------------------------------------------------------- */

static unsigned
draw_count(struct rng *r)
{
	unsigned kind = (unsigned)(rng_next(r) % 100);

	if (kind < 50)
		return (unsigned)rng_between(r, 1, 2);
	if (kind < 84)
		return (unsigned)rng_between(r, 3, 6);
	if (kind < 97)
		return (unsigned)rng_between(r, 7, 14);
	return (unsigned)rng_between(r, 15, SWARM_DRONES_MAX);
}

static void
draw_port(struct member *m, unsigned i, bool hubs)
{
	if (hubs)
		(void)snprintf(m->port, sizeof(m->port), "%u-%u.%u", 1 + i / 14, 1 + i / 7 % 2,
			       1 + i % 7);
	else
		(void)snprintf(m->port, sizeof(m->port), "%u-%u", 1 + i / 8, 1 + i % 8);
}

static void
draw_board(struct member *m, struct rng *r, bool mixed)
{
	static const struct {
		const char *otp;
		enum platform platform;
	} boards[] = {
		{ "0;CF21", PLATFORM_CF2 },  { "0;CF20", PLATFORM_CF2 },
		{ "", PLATFORM_CF2 },	     { "0;C21B", PLATFORM_CF21BL },
		{ "0;CB10", PLATFORM_BOLT }, { "0;RR10", PLATFORM_TAG },
	};
	size_t i = mixed	       ? rng_next(r) % ARRAY_LEN(boards)
		   : rng_chance(r, 90) ? 0
				       : rng_next(r) % 3;

	copy_text(m->config.otp, sizeof(m->config.otp), boards[i].otp);
	m->platform = boards[i].platform;
}

/* Habits that a host has to live with; the drone stays sound. */
static void
draw_habits(struct drone_config *c, struct rng *r)
{
	c->kind = (enum drone_kind)RNG_PICK(r, DRONE_KIND_NAK, DRONE_KIND_NAK, DRONE_KIND_DNBUSY,
					    DRONE_KIND_STALL_EARLY);
	c->serial = (enum drone_serial)RNG_PICK(r, DRONE_SERIAL_PLAIN, DRONE_SERIAL_PLAIN,
						DRONE_SERIAL_PLAIN, DRONE_SERIAL_NO_CARRY,
						DRONE_SERIAL_PLUS_A, DRONE_SERIAL_PLUS_A_NO_CARRY,
						DRONE_SERIAL_MISSING, DRONE_SERIAL_CONSTANT);
	c->reboot = (enum drone_reboot)(rng_next(r) % DRONE_REBOOT_COUNT);
	c->chatter = RNG_PICK(r, 0, 2, 5);
	c->poll_erase_ms = RNG_PICK(r, 100, 100, 0, 5000, 0xFFFFFF);
	c->poll_write_ms = RNG_PICK(r, 104, 104, 0, 1000);
	c->poll_busy_ms = RNG_PICK(r, 0, 0, 10, 0xFFFFFF);
	c->feature_readable = rng_chance(r, 70);
	c->feature_effective = rng_chance(r, 70);
	c->abort_busy_stalls = rng_chance(r, 30);
	c->button_boots = rng_chance(r, 20);
	c->one_interface = rng_chance(r, 15);
	c->no_type = rng_chance(r, 15);
	c->transfer_size = (uint16_t)RNG_PICK(r, 0, 0, 0, 0, 1024);
}

/* A defect that no host can cure: the drone must not pass, and must not disturb others. */
static void
draw_defect(struct member *m, struct rng *r)
{
	m->sound = false;
	switch (rng_next(r) % 5) {
	case 0:
		m->config.read_protected = true;
		return;
	case 1:
		m->config.write_protected = (uint16_t)(1U << rng_between(r, 1, 2));
		return;
	case 2:
		m->config.no_dfu_request = true;
		return;
	case 3:
		copy_text(m->config.version, sizeof(m->config.version), "2019.09");
		return;
	default:
		m->config.silent = true;
		return;
	}
}

static void
draw_member(struct swarm_plan *p, unsigned i, struct rng *r, bool habits, bool mixed)
{
	struct member *m = &p->members[i];

	drone_config_init(&m->config, p->seed * 64 + i);
	drone_timing_fast(&m->config.timing);
	m->sound = true;
	draw_board(m, r, mixed);
	if (habits)
		draw_habits(&m->config, r);
	if (mixed && rng_chance(r, 6)) {
		m->config.model = rng_chance(r, 50) ? DRONE_OTHER_VCP : DRONE_OTHER_DFU;
		m->platform = PLATFORM_UNKNOWN;
		return;
	}
	m->content = (enum content_kind)RNG_PICK(
	    r, CONTENT_OLD, CONTENT_OLD, CONTENT_OLD, CONTENT_OLD, CONTENT_OLD, CONTENT_NEW,
	    CONTENT_NEW, CONTENT_DAMAGED, CONTENT_HALF, CONTENT_BLANK_CHIP, CONTENT_ALIEN);
	m->by_button = m->content == CONTENT_HALF || m->content == CONTENT_BLANK_CHIP ||
		       m->content == CONTENT_ALIEN || rng_chance(r, 5);
	if (habits && rng_chance(r, 7))
		draw_defect(m, r);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void
draw_value(struct fate *f, struct rng *r)
{
	f->has_value = true;
	if (f->kind == FATE_STATUS)
		f->value = (uint32_t)rng_between(r, 1, 15);
	else if (f->kind == FATE_WRONG_STATE)
		f->value = (uint32_t)rng_between(r, 0, 12);
	else if (f->kind == FATE_LATE)
		f->value = RNG_PICK(r, 50, 500, 1500, 3000, 12000);
	else if (f->kind == FATE_SLOW)
		f->value = RNG_PICK(r, 1, 5, 100, 900);
	else if (f->kind == FATE_SHORT)
		f->value = RNG_PICK(r, 0, 1, 5, 1000, 2047);
	else if (f->kind == FATE_FLIP_READ || f->kind == FATE_FLIP_WRITE)
		f->value = (uint32_t)rng_between(r, 0, 16383);
	else
		f->has_value = false; /* the kind's own default */
}

static void
draw_fate(struct fate *f, struct rng *r, uint64_t kinds)
{
	static const enum fate_request requests[] = {
		FATE_ON_ANY,	 FATE_ON_ANY,	    FATE_ON_ANY,       FATE_ON_DNLOAD,
		FATE_ON_UPLOAD,	 FATE_ON_GETSTATUS, FATE_ON_GETSTATUS, FATE_ON_DATA,
		FATE_ON_COMMAND, FATE_ON_LEAVE,	    FATE_ON_CLRSTATUS, FATE_ON_ABORT,
		FATE_ON_VENDOR,	 FATE_ON_STANDARD,  FATE_ON_BULK_IN,   FATE_ON_RESET,
	};

	memset(f, 0, sizeof(*f));
	do
		f->kind = (enum fate_kind)rng_between(r, FATE_STALL, FATE_COUNT - 1);
	while ((kinds >> f->kind & 1) == 0);
	f->mode = (enum fate_mode)(rng_next(r) % FATE_MODE_COUNT);
	f->on = requests[rng_next(r) % ARRAY_LEN(requests)];
	f->at = (uint32_t)(rng_chance(r, 40) ? rng_between(r, 1, 12) : rng_between(r, 1, 140));
	if (!fate_is_by_request(f->kind))
		f->at = (uint32_t)rng_between(r, 1, 3);
	f->count = RNG_PICK(r, 1, 1, 1, 2, 4, 40);
	f->back_ms = RNG_PICK(r, 0, 50, 500, 3000);
	draw_value(f, r);
}

static uint64_t
draw_kinds(struct rng *r, unsigned percent, unsigned count)
{
	uint64_t kinds = 0;

	for (unsigned i = 0; i < count; i++)
		if (rng_chance(r, percent))
			kinds |= 1ULL << i;
	return kinds;
}

/* ---- deeds ------------------------------------------------------------------------------- */

static void
add_deed(struct swarm_plan *p, const struct deed *deed)
{
	if (p->deed_count < SWARM_DEEDS_MAX)
		p->deeds[p->deed_count++] = *deed;
}

static uint32_t
draw_arg(enum deed_kind kind, struct rng *r)
{
	if (kind == DEED_REPLUG || kind == DEED_GLITCH || kind == DEED_HUB)
		return RNG_PICK(r, 50, 500, 5000);
	if (kind == DEED_DISK_SLOW)
		return RNG_PICK(r, 5000, 300000, 5000000);
	if (kind == DEED_DISK_ERROR)
		return RNG_PICK(r, 5, 28, 30); /* EIO, ENOSPC, EROFS */
	if (kind == DEED_FLAP)
		return RNG_PICK(r, 4, 14, 30);
	return (uint32_t)rng_next(r) & 0xFFFF; /* a number to choose by */
}

static void
draw_deeds(struct swarm_plan *p, struct rng *r)
{
	uint64_t kinds = draw_kinds(r, 25, DEEDS_OF_OLD) & ~(1ULL << DEED_PLUG | 1ULL << DEED_FATE);
	unsigned count = (unsigned)rng_between(r, 0, 1 + 2 * p->count);

	if (rng_chance(r, 15))
		kinds = 0;
	while (kinds != 0 && count-- > 0) {
		struct deed deed = { .kind = (enum deed_kind)(rng_next(r) % DEEDS_OF_OLD) };

		if ((kinds >> deed.kind & 1) == 0)
			continue;
		deed.at_us = rng_between(r, 0, p->calm_us);
		deed.who = (unsigned)(rng_next(r) % p->count);
		deed.arg = draw_arg(deed.kind, r);
		add_deed(p, &deed);
		if (deed.kind != DEED_DISK_ERROR && deed.kind != DEED_PAUSE &&
		    deed.kind != DEED_DISK_SLOW)
			continue;
		deed.at_us += rng_between(r, 0, 8 * SECOND);
		deed.kind = deed.kind == DEED_PAUSE ? DEED_RESUME : DEED_DISK_GOOD;
		add_deed(p, &deed);
	}
}

static void
draw_fates(struct swarm_plan *p, struct rng *r)
{
	uint64_t kinds = draw_kinds(r, 25, FATE_COUNT) & ~1ULL;
	unsigned percent = RNG_PICK(r, 0, 20, 60, 100, 150);

	if (kinds == 0)
		return;
	for (unsigned i = 0; i < p->count; i++) {
		for (unsigned left = percent; left > 0; left -= left < 50 ? left : 50) {
			struct deed deed = { .kind = DEED_FATE, .who = i };

			if (!rng_chance(r, left < 50 ? left : 50))
				continue;
			draw_fate(&deed.fate, r, kinds);
			deed.at_us = rng_chance(r, 60) ? 0 : rng_between(r, 0, p->calm_us);
			add_deed(p, &deed);
		}
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return memcmp(&x->fate, &y->fate, sizeof(x->fate));
}

static void
draw_kernel(struct world_kernel *k, struct rng *r)
{
	world_kernel_init(k, rng_chance(r, 30));
	k->told_each = rng_chance(r, 50);
	if (rng_chance(r, 30)) { /* a machine of its own */
		k->disconnect_us = (uint32_t)rng_between(r, 0, 300 * MS);
		k->hub_us = k->address_us + (uint32_t)rng_between(r, 1, 400 * MS);
		k->root_us = k->address_us + (uint32_t)rng_between(r, 1, 400 * MS);
	}
}

void
swarm_draw(struct swarm_plan *p, uint64_t seed)
{
	bool hubs, habits, mixed;
	struct rng r;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->wanted = 1;
	rng_init(&r, seed * 0x9E3779B97F4A7C15ULL + 1);
	draw_options(p, &r);
	p->count = draw_count(&r);
	p->calm_us = rng_between(&r, 1 * SECOND, 12 * SECOND);
	hubs = rng_chance(&r, 50);
	habits = rng_chance(&r, 70);
	mixed = rng_chance(&r, 40);
	for (unsigned i = 0; i < p->count; i++) {
		struct deed deed = { .kind = DEED_PLUG, .who = i };

		draw_port(&p->members[i], i, hubs);
		draw_member(p, i, &r, habits, mixed);
		deed.at_us = rng_chance(&r, 70) ? rng_between(&r, 0, 200 * MS)
						: rng_between(&r, 0, p->calm_us);
		add_deed(p, &deed);
	}
	draw_fates(p, &r);
	draw_deeds(p, &r);
	/* WHY the last: what a seed drew before there were hubs stays as it was. */
	if (rng_chance(&r, 30))
		p->options.enumeration_us = (uint32_t)rng_between(&r, 20 * MS, 450 * MS);
	else if (rng_chance(&r, 40))
		draw_kernel(&p->options.kernel, &r);
	if (rng_chance(&r, 20))
		world_translators_init(
		    &p->options.translators,
		    (enum world_translating)rng_between(&r, WORLD_WIRE_LIMITED, WORLD_THRASHING));
	qsort(p->deeds, p->deed_count, sizeof(p->deeds[0]), by_time);
}

/* Also those who resume what it has stopped. */
void
swarm_draw_batch(struct swarm_plan *p)
{
	unsigned resumes;
	struct rng r;

	rng_init(&r, p->seed * 0xA0761D6478BD642FULL + 7);
	p->in_batch = rng_chance(&r, 50);
	if (!p->in_batch)
		return;
	copy_text(p->terms.name, sizeof(p->terms.name), "swarm");
	p->terms.canary = RNG_PICK(&r, 0, 1, 1, 2, 3, 5);
	p->terms.stop_after = RNG_PICK(&r, 0, 0, 1, 2, 3);
	resumes = (unsigned)rng_between(&r, 0, 4);
	for (unsigned i = 0; i < resumes; i++)
		add_deed(p, &(struct deed){ .kind = DEED_RESUME,
					    .at_us = rng_between(&r, 0, p->calm_us) });
	qsort(p->deeds, p->deed_count, sizeof(p->deeds[0]), by_time);
}

void
swarm_print(const struct swarm_plan *p)
{
	const struct fleet_options *o = &p->options.fleet;
	const struct world_kernel *k = &p->options.kernel;

	printf("seed %llu: %u drones, calm after %.1f s; adopt %d skip %d obey %d word %d loader "
	       "%d light %d "
	       "quarantine %u commit %u us enumeration %u us kernel %u/%u/%u/%u us%s "
	       "translators %u us\n",
	       (unsigned long long)p->seed, p->count, (double)p->calm_us / 1e6, (int)o->job.adopt,
	       (int)o->job.skip, o->job.obey, o->job.word, o->job.leave_loader, o->job.light,
	       o->quarantine, (unsigned)p->options.commit_us, (unsigned)p->options.enumeration_us,
	       k->root_us, k->hub_us, k->disconnect_us, k->address_us,
	       k->told_each ? " told at once" : "", p->options.translators.exclusive_us);
	for (unsigned i = 0; i < p->count; i++) {
		const struct member *m = &p->members[i];

		printf("  %-6s model %d platform %-7s otp '%s' content %d kind %d serial %d reboot "
		       "%d%s%s%s%s%s%s%s\n",
		       m->port, (int)m->config.model,
		       m->platform != PLATFORM_UNKNOWN ? platform_name(m->platform) : "foreign",
		       m->config.otp, (int)m->content, (int)m->config.kind, (int)m->config.serial,
		       (int)m->config.reboot, m->by_button ? " button" : "",
		       m->config.read_protected ? " read-protected" : "",
		       m->config.write_protected != 0 ? " write-protected" : "",
		       m->config.no_dfu_request ? " no-dfu-request" : "",
		       m->config.silent ? " silent" : "", m->config.no_type ? " no-type" : "",
		       m->config.button_boots ? " button-boots" : "");
	}
	swarm_print_whole(p);
	if (p->in_batch)
		printf("  batch: canary %u stop after %u\n", p->terms.canary, p->terms.stop_after);
	for (unsigned i = 0; i < p->deed_count; i++) {
		const struct deed *d = &p->deeds[i];
		char text[128] = "";

		if (d->kind == DEED_FATE)
			fate_print(&d->fate, text, sizeof(text));
		printf("  %9.3f s  %-6s %s %u %s\n", (double)d->at_us / 1e6,
		       p->members[d->who].port, deed_name(d->kind), (unsigned)d->arg, text);
	}
}
