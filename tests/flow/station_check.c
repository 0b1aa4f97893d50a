/* SPDX-License-Identifier: MIT */
/*
 * The invariants of doc/faults.md A10 and the promises of doc/promises.md 1, checked on the drones.
 * Own reading of the protocol: what is decided here comes from the bytes on the bus and in the
 * flash.
 *
 *   I1, I2 check_xfer, check_ending nothing below the application, no mass erase, option bytes, OTP
 *   I3     check_xfer               nothing is changed before the row is durable, or after its end
 *   I4     check_xfer               what is written is the pinned image; the first page last
 *   I5     check_ending             PASS, UNCHANGED: flash equals image, on the drone that is meant
 *   I6     check_told, check_view   no verdict is told, shown or lit before it is durable
 *   I7, I9 station_disk.c           one beginning, one ending, one image, one attempt per port
 *   I10    check_xfer               a drone that holds the image is not erased
 *   I11    check_open, check_xfer   one handle, one transfer, none after close or gone
 *   I13    check_ending             no attempt outlives its deadline
 *   I15    check_quiet              nothing is left open
 *   I17    check_view               what looks different has another revision
 *   I18    check_xfer               nothing is written on a quarantined port
 *   I19    station_brake.c          no erase begins with an image after its brake has fallen
 *   I21    station_batch.c          a batch waits for its canaries, stops and counts
 */
#include "config.h"

#include "flow/station.h"

#include <stdlib.h>

#include "core/ident.h"
#include "flow/station_parts.h"

#define APP_ADDR 0x08004000U
#define FLASH_END 0x08100000U
#define LOADER_ADDR 0x08000000U
#define FEATURE_ADDR 0xFFFF0000U
#define ROM_BLOCK 2048U
#define WORD_BYTES 4
#define SLOW_US 100000 /* commits that hold up the whole loop so long cost attempts their time */

/* A drone with a defective flash: no content of it can be promised. */
static bool
is_stubborn(const struct seat *seat, const struct drone *d)
{
	const struct drone_config *c = drone_config(d);

	return seat->fated || drone_counters(d)->fates > 0 || c->write_protected != 0 ||
	       c->read_protected || c->model != DRONE_CRAZYFLIE;
}

/* First byte and size of the sector of the F405 that holds addr (doc/protocol.md 1.2). */
static uint32_t
sector_at(uint32_t addr, uint32_t *ret_bytes)
{
	uint32_t at = addr - LOADER_ADDR;

	*ret_bytes = at < 0x10000 ? 0x4000 : at < 0x20000 ? 0x10000 : 0x20000;
	return LOADER_ADDR + at / *ret_bytes * *ret_bytes;
}

/* ---- handles ----------------------------------------------------------------------------- */

void
check_open(struct station *s, struct seat *seat, uint64_t dev, uint64_t arrival)
{
	if (seat->dev != 0)
		station_break(s, "I11: %s is opened twice", seat->port);
	seat->dev = dev;
	seat->arrival = arrival;
	seat->opened = seat->in_flight = false;
	seat->gone = false;
	seat->pointer_known = false;
	seat->alt = 0;
}

void
check_quiet(struct station *s)
{
	for (size_t i = 0; i < s->seat_count; i++)
		if (s->seats[i].dev != 0)
			station_break(s, "I15: the handle of %s is left open", s->seats[i].port);
	whole_quiet(s);
	disk_look(s);
	for (size_t i = 0; i < s->row_count && s->disk_error == 0; i++)
		if (s->rows[i].durable && s->rows[i].endings != 1)
			station_break(s, "I7: attempt %zu on %s has %u endings", i + 1,
				      s->rows[i].port, s->rows[i].endings);
	batch_quiet(s);
}

/* ---- transfers --------------------------------------------------------------------------- */

/* In DFU mode nothing tells this drone from others. */
static bool
is_nameless(const struct drone *d)
{
	char serial[32];

	drone_serial_rom(drone_config(d)->uid, drone_config(d)->serial, serial);
	return !ident_dfu_serial_valid(serial);
}

/* The attempt that runs on this port, as the database has it; NULL: none. */
static const struct station_row *
running_row(struct station *s, const struct seat *seat)
{
	const struct station_row *row = station_last(s, seat->port);

	return row != NULL && !row->verdict_durable ? row : NULL;
}

/* May anything be changed here now? */
static const struct station_row *
check_permission(struct station *s, struct seat *seat)
{
	const struct station_row *row = running_row(s, seat);
	struct drone *d = world_drone(s->world, seat->port);
	char serial[32];

	if (row == NULL) {
		/* WHY: a database that fails right after the commit cannot be asked. */
		if (disk_is_seen(s))
			station_break(
			    s, "I3: %s is changed and no attempt of its is on disk as running",
			    seat->port);
		return NULL;
	}
	if (row->image == NULL)
		station_break(s, "I3: %s is changed without an image", seat->port);
	if (seat->aside && !seat->forced && !row->retry)
		station_break(s, "I18: %s is quarantined and changed", seat->port);
	drone_serial_runtime(drone_config(d)->uid, serial);
	if (strlen(row->serial) == 24 && strcmp(row->serial, serial) != 0 && !is_nameless(d))
		station_break(s, "doc/promises.md 1.1: %s holds %s and is changed as %s",
			      seat->port, serial, row->serial);
	return row;
}

/* The last attempt before this one on the same drone; NULL: there was none. */
static const struct station_row *
earlier_row(const struct station *s, const struct drone *d, const struct station_row *row)
{
	char runtime[32], rom[32];

	drone_serial_runtime(drone_config(d)->uid, runtime);
	drone_serial_rom(drone_config(d)->uid, drone_config(d)->serial, rom);
	for (const struct station_row *e = row; e != s->rows; e--)
		if (e[-1].durable &&
		    (strcmp(e[-1].serial, runtime) == 0 || strcmp(e[-1].dfu_serial, rom) == 0))
			return e - 1;
	return NULL;
}

/* Not sent into DFU mode by us, not resumed: only as the operator allows (doc/promises.md 1.1). */
static void
check_adoption(struct station *s, struct seat *seat, const struct station_row *r)
{
	const struct drone *d = world_drone(s->world, seat->port);
	const struct drone_config *c = drone_config(d);
	enum job_adopt adopt = s->options.fleet.job.adopt;
	const struct station_row *earlier = earlier_row(s, d, r);
	bool known = seat->known || earlier != NULL;

	/* WHY nameless: it is known by its port alone, and may have been swapped. */
	if (!r->flashes || seat->interrupted || is_nameless(d) ||
	    (!r->adopted && !ident_runtime_serial_valid(r->serial)) ||
	    (earlier != NULL && (earlier->verdict.kind == VERDICT_INTERRUPTED ||
				 earlier->verdict.kind == VERDICT_FAIL)) ||
	    memcmp(seat->sent_uid, c->uid, sizeof(c->uid)) == 0)
		return;
	if (adopt == JOB_ADOPT_NEVER || (adopt == JOB_ADOPT_KNOWN && !known) ||
	    (adopt == JOB_ADOPT_RECOGNISED && !known && c->otp[0] == '\0'))
		station_break(s, "doc/promises.md 1.1: %s is foreign and is changed", seat->port);
}

/* An attempt's first change of the flash: is there a reason for it? */
static void
check_need(struct station *s, struct seat *seat, const struct station_row *r)
{
	struct drone *d = world_drone(s->world, seat->port);

	if (r->image == NULL || seat->touched_row == r->id)
		return;
	seat->touched_row = r->id;
	seat->erased_count = 0;
	brake_check(s, seat->port, r->image);
	batch_let(s, seat);
	check_adoption(s, seat, r);
	if (s->options.fleet.job.skip != JOB_SKIP_NEVER && !seat->forced && !is_stubborn(seat, d) &&
	    check_equal(s, d, r->image, 0, 0))
		station_break(s, "I10: %s holds the image and is erased", seat->port);
}

static bool
was_erased(const struct seat *seat, uint32_t base)
{
	for (unsigned i = 0; i < seat->erased_count; i++)
		if (seat->erased_addr[i] == base)
			return true;
	return false;
}

/* WHY: cells that an erase left half done can read blank and not stay so (doc/faults.md P5). */
static void
check_erased(struct station *s, struct seat *seat, uint32_t addr)
{
	uint32_t bytes;

	if (!was_erased(seat, sector_at(addr, &bytes)) && seat->interrupted)
		station_break(s,
			      "P5: 0x%08x of %s is written without an erase after an interruption",
			      (unsigned)addr, seat->port);
}

static void
check_erase(struct station *s, struct seat *seat, const struct station_row *r, uint32_t addr)
{
	struct drone *d = world_drone(s->world, seat->port);
	bool covered = false;
	uint32_t bytes, base;

	if (addr < APP_ADDR || addr >= FLASH_END) {
		station_break(s, "I1: an erase of 0x%08x on %s", (unsigned)addr, seat->port);
		return;
	}
	base = sector_at(addr, &bytes);
	/* WHY once: an erase that the host has no memory for is wanted again and again. */
	if (!was_erased(seat, base) && seat->erased_count < ARRAY_LEN(seat->erased_addr))
		seat->erased_addr[seat->erased_count++] = base;
	for (size_t i = 0; r->image != NULL && i < image_segment_count(r->image); i++) {
		const struct segment *g = image_segment(r->image, i);

		covered = covered || (g->addr < base + bytes && base < g->addr + g->size);
	}
	if (!covered)
		station_break(s, "I1: an erase of 0x%08x on %s outside the image", (unsigned)addr,
			      seat->port);
	if (base != APP_ADDR && !is_stubborn(seat, d) && !check_word_is_blank(s, d))
		station_break(s, "doc/promises.md 1.4: %s is erased at 0x%08x while it would boot",
			      seat->port, (unsigned)addr);
	seat->pointer_known = false; /* SPEC: as read in doc/protocol.md 3.1: perhaps it moved */
}

static bool
is_of_image(const struct image *image, uint32_t addr, const uint8_t *data, uint32_t length)
{
	for (size_t i = 0; i < image_segment_count(image); i++) {
		const struct segment *g = image_segment(image, i);
		uint32_t n = length;

		/* Before an odd beginning at most one byte, which changes nothing. */
		if (g->addr % 2 != 0 && addr == g->addr - 1 && data[0] == 0xFF && length > 1)
			return is_of_image(image, g->addr, data + 1, length - 1);
		if (addr < g->addr || addr - g->addr >= g->size)
			continue;
		if (n > g->size - (addr - g->addr))
			n = g->size - (addr - g->addr);
		/* Behind an odd end at most one byte, which changes nothing. */
		if (length - n > 1 || (length > n && data[n] != 0xFF))
			return false;
		return memcmp(data, g->data + (addr - g->addr), n) == 0;
	}
	return false;
}

static void
check_write(struct station *s, struct seat *seat, const struct station_row *r,
	    const struct usb_xfer *x)
{
	struct drone *d = world_drone(s->world, seat->port);
	uint32_t block = drone_config(d)->transfer_size;
	uint32_t addr, lead = 0;

	block = block != 0 ? block : ROM_BLOCK;
	addr = seat->pointer + (x->setup.value - 2U) * block;
	if (addr == APP_ADDR && x->length > WORD_BYTES && get_le32(x->data) == 0xFFFFFFFFU)
		lead = WORD_BYTES; /* 0xFF changes nothing: all but the first word is written */
	if (seat->alt == 3 && addr == FEATURE_ADDR && s->options.fleet.job.word)
		return; /* volatile: nothing of the drone's is changed */
	check_need(s, seat, r);
	if (!seat->pointer_known) {
		station_break(s, "I4: %s is written without having been told where", seat->port);
		return;
	}
	if (addr < APP_ADDR || addr >= FLASH_END || x->length > FLASH_END - addr) {
		station_break(s, "I1: a write to 0x%08x on %s", (unsigned)addr, seat->port);
		return;
	}
	check_erased(s, seat, addr);
	addr += lead;
	if (r->image != NULL && !is_of_image(r->image, addr, x->data + lead, x->length - lead))
		station_break(s, "I4: not the image's bytes to 0x%08x on %s", (unsigned)addr,
			      seat->port);
	if (r->image == NULL || is_stubborn(seat, d))
		return;
	if (addr < APP_ADDR + block &&
	    !check_equal(s, d, r->image, APP_ADDR, addr == APP_ADDR ? x->length : block))
		station_break(s, "doc/promises.md 1.4: 0x%08x of %s is written before the rest",
			      (unsigned)addr, seat->port);
	if (addr == APP_ADDR && x->length != WORD_BYTES)
		station_break(s, "protocol.md 9.3: the first word of %s comes not alone",
			      seat->port);
	if (addr != APP_ADDR && !check_word_is_blank(s, d))
		station_break(s, "doc/promises.md 1.4: %s is written while it would boot",
			      seat->port);
}

/* DNLOAD with data: a command or a block. */
static void
check_download(struct station *s, struct seat *seat, const struct usb_xfer *x)
{
	const struct station_row *row;

	if (x->setup.value == 1) {
		station_break(s, "I2: block 1 is reserved, and sent to %s", seat->port);
		return;
	}
	if (x->setup.value >= 2) {
		row = check_permission(s, seat);
		if (row != NULL)
			check_write(s, seat, row, x);
		return;
	}
	if (x->length != 5 || (x->data[0] != 0x21 && x->data[0] != 0x41)) {
		station_break(s, "I2: command 0x%02x of %u bytes to %s", x->data[0],
			      (unsigned)x->length, seat->port);
		return;
	}
	if (x->data[0] == 0x21) {
		seat->pointer = get_le32(x->data + 1);
		seat->pointer_known = true;
		return;
	}
	row = check_permission(s, seat);
	if (row == NULL)
		return;
	check_need(s, seat, row);
	check_erase(s, seat, row, get_le32(x->data + 1));
}

/* SPEC: doc/protocol.md 2.4: port 13, channel 0, command 3. */
static bool
is_light(const struct usb_xfer *x)
{
	return x->kind == USB_BULK_OUT && x->length >= 2 && (x->data[0] & 0xF3) == 0xD0 &&
	       x->data[1] == 3;
}

void
check_xfer(struct station *s, struct seat *seat, const struct usb_xfer *x)
{
	struct drone *there = world_drone(s->world, seat->port); /* NULL: moved, not noticed yet */
	const struct station_row *last;

	if (!seat->opened)
		station_break(s, "I11: a transfer on %s without an open handle", seat->port);
	if (seat->in_flight)
		station_break(s, "I11: a second transfer on %s", seat->port);
	if (seat->gone)
		station_break(s, "I11: a transfer on %s, which is gone", seat->port);
	if (x->kind == USB_CONTROL && x->timeout_ms == 0)
		station_break(s, "I13: a transfer on %s without a time limit", seat->port);
	if (there != NULL)
		whole_xfer(s, seat, x);
	if (is_light(x) && !seat->whole.identified) {
		last = station_last(s, seat->port);
		if ((last == NULL || !last->verdict_durable) && disk_is_seen(s))
			station_break(s, "I6: the light of %s before its verdict is durable",
				      seat->port);
	}
	if (x->kind != USB_CONTROL)
		return;
	if (x->setup.request_type == 0x40 && x->setup.index == 2 && there != NULL)
		memcpy(seat->sent_uid, drone_config(there)->uid, sizeof(seat->sent_uid));
	if (x->setup.request_type == 0x40 && x->setup.index == 2)
		batch_let(s, seat);
	if (x->setup.request_type == 0x01 && x->setup.request == 0x0B) {
		seat->alt = (uint8_t)x->setup.value;
		seat->pointer_known = false;
	}
	if (x->setup.request_type == 0x21 && x->setup.request == 1 && x->setup.length > 0)
		check_download(s, seat, x);
}

/* ---- endings ----------------------------------------------------------------------------- */

static void
check_untouched(struct station *s, struct seat *seat, struct drone *d)
{
	const struct drone_counters *n = drone_counters(d);

	if (n->outside_writes + n->outside_erases > 0)
		station_break(s, "I1: %s was changed outside the application", seat->port);
	if (n->mass_erases + n->unprotects + n->option_writes + n->otp_writes > 0)
		station_break(s, "I2: %s was given a forbidden command", seat->port);
	if (n->overwrites > 0 && !is_stubborn(seat, d))
		station_break(s, "I4: %s was programmed where it was not blank", seat->port);
	if (n->passthrough > 0)
		station_break(s, "doc/protocol.md 2.1: ESC pass-through of %s was armed",
			      seat->port);
}

/* PASS and UNCHANGED: the right bytes in the right drone. */
static void
check_success(struct station *s, struct seat *seat, struct drone *d, const struct station_row *row,
	      const struct job_record *r)
{
	char serial[32];

	drone_serial_runtime(drone_config(d)->uid, serial);
	if (strlen(r->serial) == 24 && strcmp(r->serial, serial) != 0)
		station_break(s, "I5: %s holds %s, and %s passed", seat->port, serial, r->serial);
	if (r->kind != JOB_UPDATE || r->verdict.step == STEP_ASKING)
		return; /* nothing was to be written; or by its version, as configured */
	if (row->image == NULL) {
		station_break(s, "I5: %s passed without an image", seat->port);
		return;
	}
	if (image_label(row->image)->version[0] != '\0' && drone_personality(d) == DRONE_RUNTIME &&
	    strcmp(drone_version(d, station_now_us(s)), image_label(row->image)->version) != 0)
		station_break(s, "I5: %s passed, and says version '%s'", seat->port,
			      drone_version(d, station_now_us(s)));
	if (!seat->lied && !check_equal(s, d, row->image, 0, 0))
		station_break(s, "I5: %s passed, and does not hold the image", seat->port);
	if (r->verdict.kind == VERDICT_UNCHANGED && r->sectors_erased > 0)
		station_break(s, "%s is unchanged after %u erases", seat->port,
			      (unsigned)r->sectors_erased);
}

static void
check_ending(struct station *s, const struct station_row *row, const struct job_record *r)
{
	struct seat *seat = station_seat(s, r->port);
	struct drone *d = world_drone(s->world, r->port);
	const struct fleet_options *o = &s->options.fleet;
	uint64_t limit = o->job.attempt_timeout_us + o->limits.leave_wait_us +
			 (uint64_t)o->job.attempt_timeout_us * (s->seat_count - 1);

	if (r->verdict.kind == VERDICT_NONE || r->verdict.kind >= VERDICT_COUNT)
		station_break(s, "I7: %s ends without a verdict", r->port);
	if (r->verdict.kind == VERDICT_FAIL && r->verdict.fault == FAULT_NONE)
		station_break(s, "%s failed without a fault", r->port);
	if (r->message[0] == '\0')
		station_break(s, "%s ends without a word for the operator", r->port);
	if (station_now_us(s) - row->begun_us > limit && s->disk_error == 0 &&
	    s->options.commit_us < SLOW_US)
		station_break(s, "I13: the attempt on %s took %.0f s", r->port,
			      (double)(station_now_us(s) - row->begun_us) / 1e6);
	if (d == NULL)
		return;
	check_untouched(s, seat, d);
	whole_ending(s, seat, d, r);
	if (seat->loader_hash != 0 && check_loader_hash(s, d) != seat->loader_hash)
		station_break(s, "I1: the boot loader of %s has changed", r->port);
	if (r->verdict.kind == VERDICT_PASS || r->verdict.kind == VERDICT_UNCHANGED)
		check_success(s, seat, d, row, r);
	else if (r->sectors_erased > 0 && row->image != NULL && r->verdict.fault != FAULT_GONE &&
		 !is_stubborn(seat, d) && drone_personality(d) == DRONE_ROM &&
		 !check_word_is_blank(s, d) && !check_equal(s, d, row->image, 0, 0))
		station_break(s, "doc/promises.md 1.4: %s would boot half an image", r->port);
}

/* By its run-time serial, or, where the attempt began and ended in DFU mode, by that of the ROM. */
static bool
is_about_drone(const struct station_row *row, struct drone *d)
{
	char serial[32] = "";

	if (d == NULL)
		return false;
	if (row->serial[0] != '\0')
		drone_serial_runtime(drone_config(d)->uid, serial);
	else
		drone_serial_rom(drone_config(d)->uid, drone_config(d)->serial, serial);
	return strcmp(row->serial[0] != '\0' ? row->serial : row->dfu_serial, serial) == 0;
}

void
check_told(struct station *s, const struct fleet_event *e)
{
	struct station_row *row = disk_row(s, e->record->id);
	struct seat *seat = station_seat_of_slot(s, e->slot);
	struct drone *d = world_drone(s->world, seat->port);

	if (row == NULL || !row->verdict_durable) {
		if (disk_is_seen(s))
			station_break(s, "I6: the verdict of %s is told before it is durable",
				      e->record->port);
		return;
	}
	check_ending(s, row, e->record);
	if (row->told)
		station_break(s, "I6: the verdict of attempt %d is told twice", (int)row->id);
	if (row->verdict.kind != e->record->verdict.kind ||
	    row->verdict.fault != e->record->verdict.fault)
		station_break(s, "I6: another verdict of attempt %d is told than is on disk",
			      (int)row->id);
	row->told = true;
	row->record = *e->record;
	row->record.image = NULL;
	seat->known = true;
	/* WHY: an ending because of another drone says nothing of that other one. */
	seat->interrupted = !is_about_drone(row, d) ? seat->interrupted_last
						    : row->verdict.kind == VERDICT_FAIL ||
							  row->verdict.kind == VERDICT_INTERRUPTED;
}

/* ---- the operator's view ----------------------------------------------------------------- */

static uint64_t
hash_text(uint64_t h, const char *text)
{
	while (*text != '\0')
		h = (h ^ (uint8_t)*text++) * 0x100000001B3ULL;
	return h * 31;
}

static uint64_t
hash_view(const struct slot_view *v)
{
	uint64_t h = 0xCBF29CE484222325ULL;

	h = hash_text(h, slot_state_name(v->state, v->step));
	h = hash_text(h, v->message);
	h = hash_text(h, v->serial);
	h = hash_text(h, v->dfu_serial);
	h = (h ^ (uint64_t)v->verdict.kind) * 31 + (uint64_t)v->mode;
	return (h ^ (uint64_t)v->attempt) * 31 + (v->present ? 1 : 0) + (v->active ? 2 : 0);
}

void
check_view(struct station *s)
{
	unsigned n = fleet_slots(s->fleet);
	unsigned slot = n > 0 ? (unsigned)(s->events % n) : 0;
	struct station_row *row;
	struct slot_view v;
	struct seat *seat;
	uint64_t h, revision;

	if (n == 0 || !fleet_is_used(s->fleet, slot))
		return;
	seat = station_seat_of_slot(s, slot);
	fleet_view(s->fleet, slot, station_now_us(s), &v);
	h = hash_view(&v);
	revision = fleet_stay(s->fleet, slot) << 32 | fleet_revision(s->fleet, slot);
	if (seat->view_hash != 0 && seat->view_hash != h && seat->view_revision == revision)
		station_break(s, "I17: %s looks different and its revision does not", seat->port);
	seat->view_hash = h;
	seat->view_revision = revision;
	whole_view(s, seat, &v);
	if (v.percent > 100 || v.percent < -1)
		station_break(s, "%s is at %d percent", seat->port, v.percent);
	if (v.verdict.kind == VERDICT_NONE)
		return;
	row = disk_row(s, v.attempt);
	if ((row == NULL || !row->verdict_durable || row->verdict.kind != v.verdict.kind) &&
	    disk_is_seen(s))
		station_break(s, "I6: %s shows a verdict that is not on disk", seat->port);
}

bool
station_holds(struct station *s, const char *port, const struct image *image)
{
	struct drone *d = world_drone(s->world, port);
	const struct drone_counters *n = drone_counters(d);

	return check_equal(s, d, image, 0, 0) && n->outside_writes == 0 && n->outside_erases == 0 &&
	       n->mass_erases == 0 && n->unprotects == 0 && n->option_writes == 0;
}
