/* SPDX-License-Identifier: MIT */
/* Unit tests of core/maps: reading the names of alternates, and which device they make of it. */
#include "config.h"

#include "core/maps.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

#define F405 "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg"
#define SMALL "@Internal Flash  /0x08000000/04*001Kg"

static struct descr_dfu
device(size_t alts)
{
	struct descr_dfu d = { .bcd_device = 0x2200, .transfer_bytes = 2048, .alt_count = alts };

	for (size_t i = 0; i < alts; i++)
		d.alt_string[i] = (uint8_t)(4 + i);
	return d;
}

/* Answers what is asked for now; NULL: no string at all. */
static void
answer(struct maps *m, enum usb_status status, const char *text)
{
	uint8_t string[255] = { 0, 3 };
	size_t n = text != NULL ? strlen(text) : 0;
	struct request w;

	maps_next(m, &w);
	assert_int_equal(w.kind, REQUEST_XFER);
	assert_int_equal(w.xfer.setup.request_type, 0x80);
	assert_int_equal(w.xfer.setup.request, 6);
	assert_int_equal(w.xfer.length, w.xfer.setup.length);
	for (size_t i = 0; i < n; i++)
		string[2 + 2 * i] = (uint8_t)text[i];
	string[0] = (uint8_t)(2 + 2 * n);
	maps_ended(m, status, string, status == USB_OK && text != NULL ? string[0] : 0);
}

static bool
is_over(const struct maps *m)
{
	struct request w;

	maps_next(m, &w);
	return w.kind == REQUEST_OVER;
}

/* All maps of a device read; NULL texts stall. */
static void
read_maps(struct maps *m, const char *const *texts, size_t count)
{
	struct descr_dfu d = device(count);

	maps_init(m, &d);
	for (size_t i = 0; i < count; i++) {
		assert_false(is_over(m));
		answer(m, USB_OK, texts[i]);
	}
	assert_true(is_over(m));
}

TEST(each_alternate_is_asked_for_its_name_in_turn)
{
	static const char *const texts[] = { F405, "@OTP Memory /0x1FFF7800/01*512 e", "no map",
					     NULL };
	struct descr_dfu d = device(4);
	struct maps m;

	read_maps(&m, texts, 4);
	assert_true(m.known[0] && m.known[1]);
	assert_false(m.known[2] || m.known[3]);
	assert_int_equal(m.map[1].runs[0].addr, 0x1FFF7800);
	assert_int_equal(m.transfers, 4);
	assert_int_equal(maps_fault(&m), FAULT_NONE);
	maps_init(&m, &d);
	for (size_t i = 0; i < 4; i++) {
		struct request w;

		maps_next(&m, &w);
		assert_int_equal(w.xfer.setup.value, 0x0304 + i);
		answer(&m, USB_OK, texts[i]);
	}
}

TEST(no_more_alternates_are_read_than_there_is_room_for)
{
	struct descr_dfu d = device(DESCR_ALTS_MAX);
	struct maps m;

	maps_init(&m, &d);
	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		answer(&m, USB_OK, F405);
	assert_true(is_over(&m));
}

TEST(a_name_that_does_not_come_is_asked_for_three_times)
{
	static const struct {
		enum usb_status status;
		enum fault fault;
	} ends[] = { { USB_STALL, FAULT_STALL },
		     { USB_TIMEOUT, FAULT_SILENT },
		     { USB_IO, FAULT_BUS },
		     { USB_OVERFLOW, FAULT_BUS } };
	struct descr_dfu d = device(2);
	struct maps m;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		maps_init(&m, &d);
		answer(&m, ends[i].status, NULL);
		answer(&m, ends[i].status, NULL);
		answer(&m, USB_OK, F405);
		assert_true(m.known[0]);
		assert_int_equal(m.unread_fault, FAULT_NONE);
		for (int n = 0; n < 3; n++)
			answer(&m, ends[i].status, NULL);
		assert_false(m.known[1]);
		assert_int_equal(m.unread_fault, FAULT_NONE); /* only the first counts */
		assert_true(is_over(&m));
		maps_init(&m, &d);
		for (int n = 0; n < 3; n++)
			answer(&m, ends[i].status, NULL);
		assert_int_equal(m.unread_fault, ends[i].fault);
		assert_int_equal(maps_fault(&m), FAULT_NONE);
	}
	maps_init(&m, &d);
	answer(&m, USB_GONE, NULL);
	assert_true(is_over(&m));
	assert_int_equal(maps_fault(&m), FAULT_GONE);
}

static const struct device *
choose(const char *first, const char *second, bool own, const char **ret_why)
{
	static struct device small = { .name = "small" }, two = { .name = "two" },
			     any = { .name = "any" };
	const struct device *const profiles[] = { device_crazyflie(), &two, &small, &any };
	const char *const texts[] = { first, second };
	static struct maps m;

	assert_int_equal(layout_parse(SMALL, strlen(SMALL), &small.map[0], NULL, NULL), 0);
	small.map_given[0] = two.map_given[0] = two.map_given[1] = true;
	two.map[0] = two.map[1] = small.map[0];
	read_maps(&m, texts, 2);
	*ret_why = NULL;
	return maps_choose(&m, profiles, first == NULL || strcmp(first, "x") == 0 ? 3 : 4, own,
			   ret_why);
}

TEST(the_first_profile_that_agrees_is_it)
{
	const char *why;

	assert_ptr_equal(choose(F405, NULL, false, &why), device_crazyflie());
	assert_ptr_equal(choose(F405, NULL, true, &why), device_crazyflie());
	assert_string_equal(choose(SMALL, SMALL, false, &why)->name, "two");
	assert_string_equal(choose(SMALL, F405, false, &why)->name, "small");
	assert_string_equal(choose("@x/0x0/1*1Kg", NULL, false, &why)->name, "any");
	assert_null(why);
	/* Sent here by us: a Crazyflie or nothing. */
	assert_null(choose(SMALL, SMALL, true, &why));
	assert_non_null(strstr(why, "not the one of any device"));
	assert_null(choose("x", SMALL, false, &why));
	assert_non_null(strstr(why, "cannot be read"));
}

TEST(a_garbled_map_is_assumed_only_of_a_drone_that_we_sent_there)
{
	static const char garbled[] = "@Internal Flash  /0x08000000/04*0\x01?Kg";
	const struct device *const family[] = { device_crazyflie() };
	const char *texts[] = { garbled };
	const char *why;
	struct maps m;

	for (int unread = 0; unread < 2; unread++) {
		texts[0] = unread ? NULL : garbled;
		read_maps(&m, texts, 1);
		assert_null(maps_choose(&m, family, 1, false, &why));
		assert_false(m.assumed);
		assert_ptr_equal(maps_choose(&m, family, 1, true, &why), device_crazyflie());
		assert_true(m.assumed && layout_same(&m.map[0], &device_crazyflie()->map[0]));
		read_maps(&m, texts, 1);
		m.bcd_device = 0x2100; /* another ROM */
		assert_null(maps_choose(&m, family, 1, true, &why));
	}
	texts[0] = "@External Flash /0x08000000/x";
	read_maps(&m, texts, 1);
	assert_null(maps_choose(&m, family, 1, true, &why));
}

TEST_MAIN(NULL)
