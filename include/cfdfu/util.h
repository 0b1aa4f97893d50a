/* SPDX-License-Identifier: MIT */
/* Small inline helpers without a home of their own: attributes, array length, byte order, bounded
 * text. */
#ifndef CFDFU_UTIL_H
#define CFDFU_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1U << (n))

static inline uint16_t
get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void
put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void
put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* Copies src (NULL counts as "") into dst of size bytes, always terminated; what does not fit is
 * cut. */
static inline void
copy_text(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	/* WHY not strnlen(): gcc warns of every literal that is shorter than the bound. */
	for (; src != NULL && n < size - 1 && src[n] != '\0'; n++)
		dst[n] = src[n];
	dst[n] = '\0';
}

#endif
