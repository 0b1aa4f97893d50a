/* SPDX-License-Identifier: MIT */
/* CRTP port 2: parameters, their values and what is stored of them (doc/beyond-dfu.md 5, 11). */
#include "config.h"

#include "sim/drone.h"

#include <stdio.h>
#include <string.h>

#include "sim/model.h"

#define ENOENT_PARAM 2
#define EACCES_PARAM 13
#define EINVAL_PARAM 22
#define STORE_US 10000 /* a write of the EEPROM */

static void
key_of(const struct toc_item *i, char key[TOC_KEY_BYTES])
{
	(void)snprintf(key, TOC_KEY_BYTES, "prm/%s.%s", i->group, toc_name(i));
}

/* As it was written since the start, as it is stored, or as it is by itself. */
static uint32_t
value_now(struct drone *d, uint64_t now, uint16_t id, const struct toc_item *i)
{
	const struct firmware *f = &d->firmware;

	for (unsigned k = 0; k < f->writes; k++)
		if (f->written[k].id == id)
			return f->written[k].value;
	return toc_value(d, now, i);
}

static uint32_t
default_of(struct drone *d, uint64_t now, const struct toc_item *i)
{
	return i->source == TOC_TUNED ? 0 : toc_value(d, now, i);
}

static void
set_value(struct drone *d, uint64_t now, uint16_t id, const struct toc_item *i, uint32_t value)
{
	struct firmware *f = &d->firmware;
	unsigned k = 0;

	if (i->source == TOC_ASSERT_INFO && value != 0)
		console_crash(d, now);
	if (i->source == TOC_DO_ASSERT && value != 0)
		firmware_assert(d, now, DRONE_ASSERT_REQUEST, "src/modules/src/system.c:384");
	while (k < f->writes && f->written[k].id != id)
		k++;
	if (k == ARRAY_LEN(f->written))
		return; /* LIMIT: of the model; the first ones stay */
	f->written[k].id = id;
	f->written[k].value = value;
	f->writes += k == f->writes;
}

/* Values that stood in the EEPROM at the start are in force. */
void
crtp_param_start(struct drone *d)
{
	char key[TOC_KEY_BYTES];
	struct toc_item item;
	uint8_t value[4] = { 0 };

	if (d->eeprom[EEPROM_STORE + 1] == 0xFF && d->eeprom[EEPROM_STORE + 2] == 0xFF)
		return; /* nothing is stored */
	for (uint16_t id = 0; toc_item(d, TOC_PARAMS, id, &item); id++) {
		key_of(&item, key);
		if ((item.type & TOC_EXTENDED) && eeprom_stored(d, key, value))
			set_value(d, 0, id, &item, get_le32(value));
	}
}

/* ---- reading, writing ---- */

/* SPEC: doc/beyond-dfu.md 11.5: answers that are built in place echo the reserved bits. */
static void
read_one(struct drone *d, uint64_t now, const uint8_t *in)
{
	uint8_t p[8] = { in[0], in[1], in[2] };
	uint16_t id = get_le16(in + 1);
	struct toc_item item;

	if (!toc_item(d, TOC_PARAMS, id, &item)) {
		p[3] = ENOENT_PARAM;
		crtp_reply(d, now, p, 4);
		return;
	}
	put_le32(p + 4, value_now(d, now, id, &item));
	crtp_reply(d, now, p, 4 + toc_param_bytes(&item));
}

static void
write_one(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	uint8_t p[4] = { in[0], in[1], in[2], ENOENT_PARAM };
	uint16_t id = get_le16(in + 1);
	uint8_t value[4] = { 0 };
	struct toc_item item;

	if (!toc_item(d, TOC_PARAMS, id, &item)) {
		crtp_reply(d, now, p, 4);
		return;
	}
	if (item.type & TOC_READ_ONLY)
		return; /* SPEC: no answer */
	memcpy(value, in + 3, toc_param_bytes(&item));
	set_value(d, now, id, &item, get_le32(value));
	crtp_reply(d, now, in, length);
}

/* ---- the rest ---- */

/* "23 00 group 0 name 0 type value" */
static void
set_by_name(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	const char *group = (const char *)in + 2;
	size_t group_bytes = strnlen(group, 28) + 1;
	const char *name = group + group_bytes;
	size_t at = 2 + group_bytes + strnlen(name, 28) + 1;
	uint8_t p[34] = { 0 }, value[4] = { 0 };
	struct toc_item item;
	uint16_t id = 0;

	if (at >= length || at > 30)
		return;
	memcpy(p, in, at);
	while (toc_item(d, TOC_PARAMS, id, &item) &&
	       (strcmp(item.group, group) != 0 || strcmp(toc_name(&item), name) != 0))
		id++;
	if (!toc_item(d, TOC_PARAMS, id, &item)) {
		p[at] = ENOENT_PARAM;
	} else if ((item.type & 0x0F) != in[at]) {
		p[at] = EINVAL_PARAM;
	} else if (item.type & TOC_READ_ONLY) {
		p[at] = EACCES_PARAM;
	} else {
		memcpy(value, in + at + 1, toc_param_bytes(&item));
		set_value(d, now, id, &item, get_le32(value));
	}
	crtp_reply(d, now, p, at + 1);
}

/* "23 04": whether it is stored, its default, the stored value.  Length of the answer. */
static size_t
state_of(struct drone *d, uint64_t now, const struct toc_item *item, uint8_t *p)
{
	size_t bytes = toc_param_bytes(item);
	char key[TOC_KEY_BYTES];
	uint8_t stored[4] = { 0 };

	key_of(item, key);
	put_le32(p + 5, default_of(d, now, item));
	if (!(item->type & TOC_EXTENDED) || !eeprom_stored(d, key, stored))
		return 5 + bytes;
	p[4] = 1;
	memcpy(p + 5 + bytes, stored, bytes);
	return 5 + 2 * bytes;
}

static bool
store_one(struct drone *d, uint64_t now, uint16_t id, const struct toc_item *item)
{
	char key[TOC_KEY_BYTES];
	uint8_t value[4];

	key_of(item, key);
	put_le32(value, value_now(d, now, id, item));
	return eeprom_store(d, key, value, toc_param_bytes(item));
}

static bool
forget_one(struct drone *d, const struct toc_item *item)
{
	char key[TOC_KEY_BYTES];

	key_of(item, key);
	return eeprom_forget(d, key);
}

/* SPEC: doc/beyond-dfu.md 5, 11.6: 2 and 6 are the old forms of 7 and 8, without a status. */
static void
about_one(struct drone *d, uint64_t now, const uint8_t *in)
{
	uint8_t p[16] = { in[0], in[1], in[2], in[3] }, command = in[1];
	uint16_t id = get_le16(in + 2);
	struct toc_item item;
	bool known = toc_item(d, TOC_PARAMS, id, &item);
	bool kept = known && (item.type & TOC_EXTENDED) != 0;
	size_t n = 5;

	if (command == 2 || command == 7) {
		p[4] = !kept ? ENOENT_PARAM : command == 2 ? 1 : 0;
		p[5] = 1;
		n = kept && command == 7 ? 6 : 5;
	} else if (command == 3) {
		p[4] = kept && store_one(d, now, id, &item) ? 0 : ENOENT_PARAM;
		now += STORE_US;
	} else if (command == 5) {
		p[4] = kept && forget_one(d, &item) ? 0 : ENOENT_PARAM;
		now += STORE_US;
	} else if (!known) {
		p[4] = ENOENT_PARAM;
	} else if (command == 4) {
		n = state_of(d, now, &item, p);
	} else {
		n = command == 6 ? 4 : 5;
		put_le32(p + n, default_of(d, now, &item));
		n += toc_param_bytes(&item);
	}
	crtp_reply(d, now, p, n);
}

void
crtp_param(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	uint8_t in[40] = { 0 }; /* SPEC: a short packet reads as if it went on with zeros */

	memcpy(in, packet, length);
	switch (in[0] & 3) {
	case 0:
		toc_answer(d, now, in, TOC_PARAMS);
		break;
	case 1:
		read_one(d, now, in);
		break;
	case 2:
		write_one(d, now, in, length);
		break;
	default:
		if (in[1] == 0)
			set_by_name(d, now, in, length);
		else if (in[1] >= 2 && in[1] <= (d->firmware.release >= 202604 ? 8 : 6))
			about_one(d, now, in);
		break;
	}
}
