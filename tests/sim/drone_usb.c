/* SPDX-License-Identifier: MIT */
/*
 * Answers of every USB device: descriptors, strings, standard requests (doc/protocol.md 1.1, 1.2,
 * 2.1).
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "cfdfu/watch.h"
#include "sim/model.h"

#define STRING_UNITS_MAX 126
#define CROWD 200
#define CONFIGURATION_MAX (9 * (CROWD + 3))

/* UTF-16 as it goes over the wire. */
struct text16 {
	unsigned count;
	uint16_t unit[STRING_UNITS_MAX];
};

static const uint8_t rom_device[18] = { 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83,
					0x04, 0x11, 0xDF, 0x00, 0x22, 0x01, 0x02, 0x03, 0x01 };

static const uint8_t run_device[18] = { 0x12, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x40, 0x83,
					0x04, 0x40, 0x57, 0x00, 0x02, 0x01, 0x02, 0x03, 0x01 };

static const uint8_t run_config[98] = {
	0x09, 0x02, 0x62, 0x00, 0x03, 0x01, 0x00, 0x80, 0x32,	    /* configuration */
	0x09, 0x04, 0x00, 0x00, 0x02, 0xFF, 0xFF, 0x00, 0x00,	    /* CRTP */
	0x07, 0x05, 0x81, 0x02, 0x40, 0x00, 0x06,		    /* bulk in */
	0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x06,		    /* bulk out */
	0x08, 0x0B, 0x01, 0x02, 0x02, 0x02, 0x01, 0x02,		    /* association */
	0x09, 0x04, 0x01, 0x00, 0x01, 0x02, 0x02, 0x01, 0x01,	    /* CDC control */
	0x05, 0x24, 0x00, 0x10, 0x01, 0x05, 0x24, 0x01, 0x00, 0x02, /* header, call management */
	0x04, 0x24, 0x02, 0x00, 0x05, 0x24, 0x06, 0x01, 0x02,	    /* ACM, union */
	0x07, 0x05, 0x83, 0x03, 0x08, 0x00, 0xFF,		    /* interrupt in */
	0x09, 0x04, 0x02, 0x00, 0x02, 0x0A, 0x00, 0x00, 0x00,	    /* CDC data */
	0x07, 0x05, 0x02, 0x02, 0x40, 0x00, 0x00,		    /* bulk out */
	0x07, 0x05, 0x82, 0x02, 0x40, 0x00, 0x00,		    /* bulk in */
};

/* Releases up to 2022.05: the vendor interface alone. */
static const uint8_t run_config_small[32] = {
	0x09, 0x02, 0x20, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, 0x09, 0x04,
	0x00, 0x00, 0x02, 0xFF, 0xFF, 0x00, 0x00, 0x07, 0x05, 0x81, 0x02,
	0x40, 0x00, 0x06, 0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x06,
};

static const uint8_t hostile_text[] = "\x1b[31m<script>\"'=cmd|\n\t\x01;DROP";

void
usb_reset_state(struct drone *d)
{
	d->configuration = 0;
	memset(d->alternate, 0, sizeof(d->alternate));
	d->class_patched = false;
	d->config_reads = 0;
}

unsigned
usb_transfer_size(const struct drone *d)
{
	if (d->config.transfer_size == DRONE_TRANSFER_SIZE_ZERO)
		return 0;
	return d->config.transfer_size != 0 ? d->config.transfer_size : d->chip->transfer_size;
}

static void
functional_descriptor(const struct drone *d, uint8_t *p)
{
	static const uint8_t fixed[9] = { 0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x00, 0x1A, 0x01 };

	memcpy(p, fixed, sizeof(fixed));
	put_le16(p + 5, (uint16_t)usb_transfer_size(d));
	if (d->config.descriptors == DRONE_DESCRIPTORS_CHANGING && d->config_reads > 0)
		put_le16(p + 5, 64);
}

static size_t
device_descriptor(const struct drone *d, uint8_t *p)
{
	if (d->on_bus == DRONE_ROM) {
		memcpy(p, rom_device, sizeof(rom_device));
		put_le16(p + 12, d->chip->bcd_device);
		if (d->no_serial || d->config.serial == DRONE_SERIAL_MISSING)
			p[16] = 0;
	} else {
		memcpy(p, run_device, sizeof(run_device));
		if (d->class_patched)
			p[4] = 0x02;
		if (d->no_serial)
			p[16] = 0;
	}
	return 18;
}

static size_t
rom_configuration(const struct drone *d, uint8_t *p)
{
	static const uint8_t head[9] = { 0x09, 0x02, 0x00, 0x00, 0x01, 0x01, 0x00, 0xC0, 0x32 };
	static const uint8_t keyboard[9] = { 0x09, 0x04, 0x01, 0x00, 0x00, 0x03, 0x01, 0x01, 0x00 };
	enum drone_descriptors how = d->config.descriptors;
	unsigned alternates = how == DRONE_DESCRIPTORS_CROWDED ? CROWD : d->chip->memories;
	size_t n = sizeof(head);

	memcpy(p, head, sizeof(head));
	for (unsigned alt = 0; alt < alternates; alt++) {
		const uint8_t one[9] = { 9, 4, 0, (uint8_t)alt, 0, 0xFE, 1, 2, (uint8_t)(4 + alt) };

		memcpy(p + n, one, sizeof(one));
		n += sizeof(one);
	}
	functional_descriptor(d, p + n); /* one, behind the last alternate */
	n += 9;
	if (how == DRONE_DESCRIPTORS_COMPOSITE) {
		memcpy(p + n, keyboard, sizeof(keyboard));
		n += sizeof(keyboard);
		p[4] = 2;
	}
	put_le16(p + 2, (uint16_t)n);
	return how == DRONE_DESCRIPTORS_CUT ? n - 14 : n;
}

static size_t
configuration_descriptor(const struct drone *d, uint8_t *p)
{
	const uint8_t *from = d->config.one_interface ? run_config_small : run_config;

	if (d->on_bus == DRONE_ROM)
		return rom_configuration(d, p);
	memcpy(p, from, from[2]);
	return from[2];
}

size_t
drone_descriptors(struct drone *d, uint8_t *buf, size_t size)
{
	uint8_t all[18 + CONFIGURATION_MAX];
	size_t n = device_descriptor(d, all);

	all[4] = all[5] = 0; /* as read before SET_CONFIGURATION */
	n += configuration_descriptor(d, all + n);
	d->config_reads += d->config.count_standard; /* else a kernel will read it for itself */
	if (n > size)
		n = size;
	memcpy(buf, all, n);
	return n;
}

/* ---- strings ---- */

static const char *
string_runtime(const struct drone *d, unsigned index, char *room)
{
	const struct drone_config *c = &d->config;
	bool other = c->model == DRONE_OTHER_VCP;

	switch (index) {
	case 1:
		if (c->manufacturer[0] != '\0')
			return c->manufacturer;
		return other ? "STMicroelectronics" : "Bitcraze AB";
	case 2:
		if (c->product[0] != '\0')
			return c->product;
		return other ? "STM32 Virtual ComPort" : "Crazyflie 2.x";
	case 3:
		drone_serial_runtime(c->uid, room);
		return d->dup_serial ? "FFFFFFFEFFFF" : room;
	case 4:
		return "VCP Config";
	case 5:
		return "Raw CRTP interface";
	default:
		return NULL;
	}
}

static const char *
string_rom(const struct drone *d, unsigned index, char *room)
{
	const struct drone_config *c = &d->config;

	switch (index) {
	case 1:
		return d->chip->manufacturer;
	case 2:
		return d->chip->product;
	case 3:
		if (c->serial == DRONE_SERIAL_MISSING)
			return NULL;
		if (c->serial == DRONE_SERIAL_CUSTOM)
			return c->serial_text;
		drone_serial_rom(c->uid, d->dup_serial ? DRONE_SERIAL_CONSTANT : c->serial, room);
		return room;
	default:
		index -= 4;
		if (index >= d->chip->memories)
			return NULL;
		return c->layout[index][0] != '\0' ? c->layout[index]
						   : d->chip->memory[index].layout;
	}
}

/* False: no such string (stall). */
static bool
get_string(const struct drone *d, unsigned index, struct text16 *t)
{
	char room[32];
	const char *text;

	t->count = 0;
	if (index == 0) {
		t->unit[t->count++] = 0x0409;
		return true;
	}
	if (index == 3 && d->no_serial)
		return false;
	text = d->on_bus == DRONE_ROM ? string_rom(d, index, room) : string_runtime(d, index, room);
	if (text == NULL)
		return false;
	if (d->hostile_strings && index != 1) {
		text = (const char *)hostile_text;
		t->unit[t->count++] = 0xD800; /* half of a surrogate pair */
		t->unit[t->count++] = 0x202E; /* right to left from here */
	}
	while (*text != '\0' && t->count < STRING_UNITS_MAX)
		t->unit[t->count++] = (uint8_t)*text++;
	return true;
}

/* The kernel's reading of UTF-16: what cannot be shown is left out. */
static void
to_utf8(const struct text16 *t, char *out, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < t->count && n + 4 < size; i++) {
		uint16_t u = t->unit[i];

		if (u >= 0xD800 && u <= 0xDFFF)
			continue;
		if (u == 0)
			break;
		if (u < 0x80) {
			out[n++] = (char)u;
		} else if (u < 0x800) {
			out[n++] = (char)(0xC0 | u >> 6);
			out[n++] = (char)(0x80 | (u & 0x3F));
		} else {
			out[n++] = (char)(0xE0 | u >> 12);
			out[n++] = (char)(0x80 | (u >> 6 & 0x3F));
			out[n++] = (char)(0x80 | (u & 0x3F));
		}
	}
	out[n] = '\0';
}

/* QUIRK: doc/protocol.md 1.2: bLength and what arrives differ on some ROMs. */
static size_t
string_bytes(const struct drone *d, const struct text16 *t)
{
	size_t n = 2 + 2 * (size_t)t->count;

	return d->cut_strings && n > 6 ? n / 2 | 1 : n;
}

/* One string as a host reads it, "" when there is none. */
static void
read_string(const struct drone *d, unsigned index, char *out, size_t size)
{
	struct text16 t;

	out[0] = '\0';
	if (!get_string(d, index, &t))
		return;
	t.count = (unsigned)(string_bytes(d, &t) - 2) / 2;
	to_utf8(&t, out, size);
}

void
drone_describe(const struct drone *d, struct sighting *s)
{
	uint8_t device[18];

	device_descriptor(d, device);
	s->vid = get_le16(device + 8);
	s->pid = get_le16(device + 10);
	s->bcd_device = get_le16(device + 12);
	read_string(d, 1, s->manufacturer, sizeof(s->manufacturer));
	read_string(d, 2, s->product, sizeof(s->product));
	s->serial[0] = '\0';
	if (device[16] != 0)
		read_string(d, 3, s->serial, sizeof(s->serial));
}

/* ---- standard requests ---- */

static void
answer(struct drone *d, const struct usb_setup *s, const uint8_t *data, size_t n, struct reply *r)
{
	if (n > s->length)
		n = s->length;
	memcpy(d->reply, data, n);
	r->length = n;
}

static void
get_descriptor(struct drone *d, const struct usb_setup *s, struct reply *r)
{
	uint8_t buf[CONFIGURATION_MAX];
	struct text16 t;

	switch (s->value >> 8) {
	case 1:
		answer(d, s, buf, device_descriptor(d, buf), r);
		return;
	case 2:
		answer(d, s, buf, configuration_descriptor(d, buf), r);
		d->config_reads += s->length > 9; /* the first 9 bytes only tell the length */
		return;
	case 3:
		if (!get_string(d, s->value & 0xFF, &t))
			break;
		buf[0] = (uint8_t)(2 + 2 * t.count);
		buf[1] = 3;
		for (unsigned i = 0; i < t.count; i++)
			put_le16(buf + 2 + 2 * i, t.unit[i]);
		answer(d, s, buf, string_bytes(d, &t), r);
		return;
	case 0x21:
		if (d->on_bus != DRONE_ROM)
			break;
		functional_descriptor(d, buf);
		answer(d, s, buf, 9, r);
		return;
	default: /* no qualifier, no other speed, no BOS */
		break;
	}
	r->status = USB_STALL;
}

static unsigned
interface_count(const struct drone *d)
{
	return d->on_bus == DRONE_ROM || d->config.one_interface ? 1 : 3;
}

static void
interface_request(struct drone *d, const struct usb_setup *s, struct reply *r)
{
	unsigned index = s->index & 0xFF;

	if (index >= interface_count(d)) {
		r->status = USB_STALL;
	} else if (s->request == 10) {
		answer(d, s, &d->alternate[index], 1, r);
	} else if (s->value >= (d->on_bus == DRONE_ROM ? d->chip->memories : 1)) {
		r->status = USB_STALL;
	} else {
		d->alternate[index] = (uint8_t)s->value;
	}
}

void
usb_standard(struct drone *d, const struct usb_setup *s, struct reply *r)
{
	unsigned recipient = s->request_type & 0x1F;
	const uint8_t status[2] = { recipient == 0, 0 }; /* self-powered, says even the run-time */

	switch (s->request) {
	case 0: /* GET_STATUS */
		answer(d, s, status, 2, r);
		return;
	case 1: /* CLEAR_FEATURE */
	case 3: /* SET_FEATURE */
	case 5: /* SET_ADDRESS */
		return;
	case 6:
		get_descriptor(d, s, r);
		return;
	case 8: /* GET_CONFIGURATION */
		answer(d, s, &d->configuration, 1, r);
		return;
	case 9: /* SET_CONFIGURATION */
		if (s->value > 1) {
			r->status = USB_STALL;
			return;
		}
		d->configuration = (uint8_t)s->value;
		d->class_patched = d->on_bus == DRONE_RUNTIME && !d->config.one_interface;
		return;
	case 10:
	case 11:
		interface_request(d, s, r);
		return;
	default:
		r->status = USB_STALL;
	}
}

/* ---- accessors -------- */

enum drone_personality
drone_personality(const struct drone *d)
{
	return d->on_bus;
}

const struct drone_counters *
drone_counters(const struct drone *d)
{
	return &d->counters;
}

void
drone_counters_reset(struct drone *d)
{
	memset(&d->counters, 0, sizeof(d->counters));
}

const struct drone_config *
drone_config(const struct drone *d)
{
	return &d->config;
}

uint8_t
drone_dfu_state(const struct drone *d)
{
	return d->rom.state;
}

bool
drone_is_button_entered(const struct drone *d)
{
	return d->on_bus == DRONE_ROM && d->rom.by_button;
}
