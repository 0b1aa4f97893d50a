/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
memory_init(struct memory *m, const struct chip_memory *chip)
{
	memset(m, 0, sizeof(*m));
	m->chip = chip;
	m->pages = (chip->size + MEMORY_PAGE - 1) / MEMORY_PAGE;
	m->page = calloc(m->pages, sizeof(struct memory_page *));
	return m->page != NULL ? 0 : -ENOMEM;
}

static void
free_pages(struct memory_page *p)
{
	while (p != NULL) {
		struct memory_page *next = p->next;

		free(p);
		p = next;
	}
}

void
memory_done(struct memory *m)
{
	for (uint32_t i = 0; m->page != NULL && i < m->pages; i++)
		free(m->page[i]);
	free(m->page);
	free_pages(m->spare);
	memset(m, 0, sizeof(*m));
}

void
memory_read(const struct memory *m, uint32_t offset, uint8_t *buf, size_t length)
{
	assert(length <= m->chip->size && offset <= m->chip->size - length);
	while (length > 0) {
		uint32_t at = offset % MEMORY_PAGE;
		size_t n = length < MEMORY_PAGE - at ? length : MEMORY_PAGE - at;
		const struct memory_page *p = m->page[offset / MEMORY_PAGE];

		if (p != NULL)
			memcpy(buf, p->bytes + at, n);
		else
			memset(buf, 0xFF, n);
		buf += n;
		offset += (uint32_t)n;
		length -= n;
	}
}

/* The page for writing: made blank when it does not exist yet.  NULL: no memory. */
static struct memory_page *
page_for(struct memory *m, uint32_t number)
{
	struct memory_page *p = m->page[number];

	if (p != NULL)
		return p;
	p = m->spare;
	if (p != NULL)
		m->spare = p->next;
	else
		p = malloc(sizeof(*p));
	if (p == NULL)
		return NULL;
	p->next = NULL;
	memset(p->bytes, 0xFF, sizeof(p->bytes));
	m->page[number] = p;
	return p;
}

int
memory_set(struct memory *m, uint32_t offset, const uint8_t *data, size_t length)
{
	assert(length <= m->chip->size && offset <= m->chip->size - length);
	while (length > 0) {
		uint32_t at = offset % MEMORY_PAGE;
		size_t n = length < MEMORY_PAGE - at ? length : MEMORY_PAGE - at;
		struct memory_page *p = page_for(m, offset / MEMORY_PAGE);

		if (p == NULL)
			return -ENOMEM;
		memcpy(p->bytes + at, data, n);
		data += n;
		offset += (uint32_t)n;
		length -= n;
	}
	return 0;
}

int
memory_program(struct memory *m, uint32_t offset, const uint8_t *data, size_t length,
	       uint64_t *ret_overwrites)
{
	assert(length <= m->chip->size && offset <= m->chip->size - length);
	while (length > 0) {
		uint32_t at = offset % MEMORY_PAGE;
		size_t n = length < MEMORY_PAGE - at ? length : MEMORY_PAGE - at;
		bool blank = m->page[offset / MEMORY_PAGE] == NULL;
		struct memory_page *p = page_for(m, offset / MEMORY_PAGE);

		if (p == NULL)
			return -ENOMEM;
		if (blank)
			memcpy(p->bytes + at, data, n);
		for (size_t i = 0; !blank && i < n; i++) {
			if (p->bytes[at + i] != 0xFF)
				(*ret_overwrites)++;
			p->bytes[at + i] &= data[i];
		}
		data += n;
		offset += (uint32_t)n;
		length -= n;
	}
	return 0;
}

void
memory_erase(struct memory *m, uint32_t offset, size_t length)
{
	assert(length <= m->chip->size && offset <= m->chip->size - length);
	while (length > 0) {
		uint32_t at = offset % MEMORY_PAGE;
		size_t n = length < MEMORY_PAGE - at ? length : MEMORY_PAGE - at;
		struct memory_page *p = m->page[offset / MEMORY_PAGE];

		if (p != NULL && n == MEMORY_PAGE) {
			m->page[offset / MEMORY_PAGE] = NULL;
			p->next = m->spare;
			m->spare = p;
		} else if (p != NULL) {
			memset(p->bytes + at, 0xFF, n);
		}
		offset += (uint32_t)n;
		length -= n;
	}
}

bool
memory_page_is_blank(const struct memory *m, uint32_t offset)
{
	return m->page[offset / MEMORY_PAGE] == NULL;
}

int
memory_copy(struct memory *to, const struct memory *from)
{
	assert(to->chip == from->chip);
	for (uint32_t i = 0; i < from->pages; i++) {
		uint32_t offset = i * MEMORY_PAGE;
		size_t n = from->chip->size - offset;

		if (n > MEMORY_PAGE)
			n = MEMORY_PAGE;
		if (from->page[i] == NULL)
			memory_erase(to, offset, n);
		else if (memory_set(to, offset, from->page[i]->bytes, n) < 0)
			return -ENOMEM;
	}
	return 0;
}
