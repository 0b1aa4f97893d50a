/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/fw_loading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

int
fw_refuse(struct fw_loading *l, size_t offset, const char *format, ...)
{
	va_list args;

	l->error->offset = offset;
	va_start(args, format);
	vsnprintf(l->error->text, sizeof(l->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

int
fw_no_memory(struct fw_loading *l)
{
	(void)fw_refuse(l, 0, "not enough memory to read the file");
	return -ENOMEM;
}

void
fw_warn(struct fw_facts *facts, const char *format, ...)
{
	va_list args;

	if (facts->warning_count == FW_WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(facts->warnings[facts->warning_count++], FW_WARNING_TEXT_MAX, format, args);
	va_end(args);
}

void
fw_clean_text(char *dst, size_t dst_size, const void *src, size_t n)
{
	const uint8_t *p = src;
	size_t i = 0;

	for (; i < n && i < dst_size - 1 && p[i] != '\0'; i++)
		dst[i] = p[i] >= 0x20 && p[i] < 0x7F ? (char)p[i] : '?';
	dst[i] = '\0';
}

bool
fw_begins(const uint8_t *data, size_t size, const char *magic)
{
	size_t n = strlen(magic);

	return size >= n && memcmp(data, magic, n) == 0;
}

int
fw_add_element(struct fw_loading *l, const struct fw_element *e, const uint8_t *data)
{
	struct fw_facts *f = l->facts;

	if (f->element_count == IMAGE_SEGMENTS_MAX)
		return fw_refuse(l, e->offset, "more than %d separate pieces", IMAGE_SEGMENTS_MAX);
	if (e->size > 0 && e->size - 1 > UINT32_MAX - e->addr)
		return fw_refuse(l, e->offset,
				 "%" PRIu32 " bytes at 0x%08" PRIX32
				 " reach beyond the end of the address space",
				 e->size, e->addr);
	f->elements[f->element_count++] = *e;
	l->segments[l->segment_count++] =
	    (struct segment){ .alt = e->alt, .addr = e->addr, .size = e->size, .data = data };
	return 0;
}

void
fw_facts_free(struct fw_facts *facts)
{
	for (size_t i = 0; facts != NULL && i < facts->release.part_count; i++)
		free((void *)(uintptr_t)facts->release.parts[i].part.bytes);
	free(facts);
}
