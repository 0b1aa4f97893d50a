/* SPDX-License-Identifier: MIT */
/*
 * Decks: doc/beyond-dfu.md 4.2.  nRF51: the linker files of crazyflie2-nrf-firmware and the update
 * format of crazyflie2-nrf-bootloader (tools/generate_update_binary.py); read there, not measured
 * on a released S130 image.
 */
#include "config.h"

#include "firmware/judge_part.h"

#include <inttypes.h>
#include <zlib.h>

#include "firmware/judge_internal.h"

#define COLOUR_LED_BYTES_MAX 32768U
#define NRF_PAGE_BYTES 1024U
#define NRF_BYTES_MAX (124U * NRF_PAGE_BYTES) /* behind the S130 soft device */
#define NRF_S130_ADDR 0x1B000U
#define NRF_S110_ADDR 0x16000U
#define BUNDLE_MAGIC 0xCFU /* of the flags page, the last one */
#define BUNDLE_CRC_AT 25U

static void
judge_lighthouse(const struct image_part *p, struct judgement *j)
{
	static const struct {
		uint32_t length, crc32;
	} known[] = {
		{ 104093, 0x112BC794 }, /* up to 2026.04 */
		{ 104092, 0x563A0D3E }, /* 2026.08 */
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (p->length == known[i].length && p->crc32 == known[i].crc32)
			return;
	judge_add(j, JUDGE_WARN, JUDGE_PART,
		  "not a bitstream known here: it is only written where the drone's firmware asks "
		  "for exactly this length and CRC");
}

/* One STM32C0 each; its boot loader may stand before it in the flash. */
static void
judge_colour_led(const struct image_part *p, struct judgement *j)
{
	uint32_t sp, reset;

	if (p->length < 8 || p->length > COLOUR_LED_BYTES_MAX) {
		judge_add(j, JUDGE_REFUSE, JUDGE_PART, "%" PRIu32 " bytes, expected 8 to %u",
			  p->length, COLOUR_LED_BYTES_MAX);
		return;
	}
	sp = get_le32(p->bytes);
	reset = get_le32(p->bytes + 4);
	if (sp <= 0x20000000 || sp > 0x2000FFFF)
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "initial stack pointer 0x%08" PRIX32 " is not in an STM32C0's RAM", sp);
	else if (reset % 2 == 0 || reset < 0x08000000 || reset > 0x0800FFFF)
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "reset vector 0x%08" PRIX32 " does not lead into an STM32C0's flash",
			  reset);
}

static bool
has_text(const struct image_part *p, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i + n <= p->length; i++)
		if (memcmp(p->bytes + i, text, n) == 0)
			return true;
	return false;
}

static bool
leads_into(uint32_t vector, uint32_t base, const struct image_part *p)
{
	return vector % 2 == 1 && vector >= base && vector - base < p->length;
}

/* WHY both addresses where the release does not say: those before 2024.2 name no soft device. */
static bool
is_reset_fine(const struct image_part *p, const char *soft_device, uint32_t reset)
{
	bool s130 = strcmp(soft_device, "sd-s130") == 0, s110 = strcmp(soft_device, "sd-s110") == 0;

	return (!s110 && leads_into(reset, NRF_S130_ADDR, p)) ||
	       (!s130 && leads_into(reset, NRF_S110_ADDR, p));
}

static void
judge_nrf_firmware(const struct image_part *p, const char *soft_device, struct judgement *j)
{
	uint32_t sp, reset;

	if (p->length < 8 || p->length > NRF_BYTES_MAX) {
		judge_add(j, JUDGE_REFUSE, JUDGE_PART, "%" PRIu32 " bytes, expected 8 to %u",
			  p->length, NRF_BYTES_MAX);
		return;
	}
	sp = get_le32(p->bytes);
	reset = get_le32(p->bytes + 4);
	if (sp <= 0x20000000 || sp > 0x20004000)
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "initial stack pointer 0x%08" PRIX32 " is not in the nRF51's RAM", sp);
	else if (!is_reset_fine(p, soft_device, reset))
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "reset vector 0x%08" PRIX32 " lies outside of the image", reset);
	else if (p->version[0] != '\0' && !has_text(p, p->version))
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "nowhere in it stands the version that the release gives it, %s",
			  p->version);
}

/* Whole pages; the last one tells where the boot loader and the soft device go. */
static void
judge_nrf_bundle(const struct image_part *p, struct judgement *j)
{
	const uint8_t *flags;

	if (p->length < NRF_PAGE_BYTES || p->length % NRF_PAGE_BYTES != 0 ||
	    p->length > NRF_BYTES_MAX) {
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "%" PRIu32 " bytes, expected up to %u pages of %u", p->length,
			  NRF_BYTES_MAX / NRF_PAGE_BYTES, NRF_PAGE_BYTES);
		return;
	}
	flags = p->bytes + p->length - NRF_PAGE_BYTES;
	if (flags[0] != BUNDLE_MAGIC ||
	    get_le32(flags + BUNDLE_CRC_AT) != crc32(0, flags, BUNDLE_CRC_AT))
		judge_add(j, JUDGE_REFUSE, JUDGE_PART,
			  "its last page is not that of a boot loader with its soft device");
}

static bool
is_colour_led(const char *target)
{
	return strcmp(target, "bcColorLedBot:col") == 0 || strcmp(target, "bcColorLedTop:col") == 0;
}

static bool
is_lighthouse(const char *target)
{
	return strcmp(target, "bcLighthouse4") == 0;
}

enum part_use
judge_part_use(const char *target)
{
	if (strcmp(target, PART_NRF51) == 0)
		return PART_RADIO;
	return is_lighthouse(target) || is_colour_led(target) ? PART_DECK : PART_REPORTED;
}

const char *
judge_part_use_name(enum part_use use)
{
	static const char *const names[] = {
		[PART_REPORTED] = "reported",
		[PART_DECK] = "deck",
		[PART_RADIO] = "radio",
	};

	return names[use];
}

const char *
judge_part_words(const char *target, const char *type)
{
	bool firmware = strcmp(type, "fw") == 0;

	switch (judge_part_use(target)) {
	case PART_DECK:
		if (!firmware)
			break;
		return is_lighthouse(target)
			   ? "written over USB (deck update), where the deck asks for it"
			   : "written over USB (deck update)";
	case PART_RADIO:
		return firmware ? "by radio only; each drone's version is compared with it"
				: "by radio only";
	case PART_REPORTED:
		break;
	}
	return "reported only: this station does not write it";
}

/*
 * As the boot text of a drone says it (doc/beyond-dfu.md 7): the tag alone, of which "2024.10-rc1
 * (CF" is the longest that there is room for.
 */
static void
cut_nrf_version(char version[32])
{
	version[strcspn(version, " (*")] = '\0';
	version[15] = '\0';
}

void
judge_part(struct image_part *part, const char *soft_device, struct judgement *ret_judgement)
{
	struct judgement *j = ret_judgement;
	bool firmware = strcmp(part->type, "fw") == 0;

	memset(j, 0, sizeof(*j));
	j->accepted = true;
	if (judge_part_use(part->target) == PART_RADIO)
		cut_nrf_version(part->version);
	part->crc32 = (uint32_t)crc32(0, part->bytes, part->length);
	if (part->target[0] == '\0' || part->type[0] == '\0')
		judge_add(j, JUDGE_REFUSE, JUDGE_PART, "it has no target, or no type");
	else if (part->length == 0 || part->length > PART_BYTES_MAX)
		judge_add(j, JUDGE_REFUSE, JUDGE_PART, "%" PRIu32 " bytes, expected 1 to %u",
			  part->length, PART_BYTES_MAX);
	else if (strcmp(part->target, PART_NRF51) == 0 && firmware)
		judge_nrf_firmware(part, soft_device != NULL ? soft_device : "", j);
	else if (strcmp(part->target, PART_NRF51) == 0 &&
		 strcmp(part->type, "bootloader+softdevice") == 0)
		judge_nrf_bundle(part, j);
	else if (is_lighthouse(part->target) && firmware)
		judge_lighthouse(part, j);
	else if (is_colour_led(part->target) && firmware)
		judge_colour_led(part, j);
}
