/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/maps.h"

enum {
	TIMEOUT_MS = 1000,
	TRIES = 3,
	LANGUAGE = 0x0409,
	STRING_BYTES = 255,
	ROM_BCD_DEVICE = 0x2200,
};

static const char flash_name[] = "@Internal Flash";

void
maps_init(struct maps *m, const struct descr_dfu *descr)
{
	memset(m, 0, sizeof(*m));
	m->alt_count =
	    (uint8_t)(descr->alt_count < DEVICE_ALTS_MAX ? descr->alt_count : DEVICE_ALTS_MAX);
	memcpy(m->string, descr->alt_string, m->alt_count);
	m->bcd_device = descr->bcd_device;
}

void
maps_next(const struct maps *m, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (m->over || m->alt == m->alt_count) {
		ret_request->kind = REQUEST_OVER;
		return;
	}
	ret_request->kind = REQUEST_XFER;
	ret_request->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		.setup = { 0x80, 0x06, (uint16_t)(0x0300 | m->string[m->alt]), LANGUAGE,
			   STRING_BYTES },
		.length = STRING_BYTES,
		.timeout_ms = TIMEOUT_MS,
	};
}

void
maps_ended(struct maps *m, enum usb_status status, const uint8_t *data, size_t length)
{
	char text[LAYOUT_TEXT_MAX] = "";
	bool read;

	m->transfers++;
	if (status == USB_GONE) {
		m->fault = FAULT_GONE;
		m->over = true;
		return;
	}
	if (status != USB_OK && ++m->tries < TRIES)
		return; /* ask again */
	read = status == USB_OK && descr_parse_string(data, length, text, sizeof(text)) == 0;
	m->known[m->alt] =
	    read && layout_parse(text, strlen(text), &m->map[m->alt], NULL, NULL) == 0;
	if (m->alt == 0) {
		m->unread = !read;
		if (status != USB_OK)
			m->unread_fault = status == USB_TIMEOUT ? FAULT_SILENT
					  : status == USB_STALL ? FAULT_STALL
								: FAULT_BUS;
		m->garbled_flash =
		    !m->known[0] && strncmp(text, flash_name, sizeof(flash_name) - 1) == 0;
	}
	m->alt++;
	m->tries = 0;
}

enum fault
maps_fault(const struct maps *m)
{
	return m->fault;
}

static bool
agrees(const struct maps *m, const struct device *p)
{
	for (size_t i = 0; i < DEVICE_ALTS_MAX; i++)
		if (p->map_given[i] && !(m->known[i] && layout_same(&m->map[i], &p->map[i])))
			return false;
	return m->known[0];
}

const struct device *
maps_choose(struct maps *m, const struct device *const *profiles, size_t count, bool own,
	    const char **ret_why)
{
	for (size_t i = 0; i < count; i++) {
		if (own && !profiles[i]->family)
			continue;
		if (own && m->bcd_device == ROM_BCD_DEVICE && (m->garbled_flash || m->unread)) {
			m->map[0] = profiles[i]->map[0];
			m->known[0] = true;
			m->assumed = true;
		}
		if (agrees(m, profiles[i]))
			return profiles[i];
	}
	*ret_why = m->known[0] ? "its memory map is not the one of any device that we know"
			       : "its memory map cannot be read";
	return NULL;
}
