/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/record.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "cfdfu/utf8.h"

size_t
record_clean_text(const char *text, char *out, size_t size)
{
	const char *p = text != NULL ? text : "";
	size_t at = 0;

	while (*p != '\0') {
		uint32_t code = 0;
		size_t n = utf8_decode(p, &code);
		bool wide = n > 1 && code >= 0xA0;
		size_t count = wide ? n : 1;

		if (at + count >= size)
			break;
		if (wide)
			memcpy(out + at, p, n);
		else if (n == 1)
			out[at] = code < 0x20 || code == 0x7F ? ' ' : *p;
		else
			out[at] = '?';
		at += count;
		p += count;
	}
	out[at] = '\0';
	return at;
}

static void
append(struct body *b, const char *text, size_t size)
{
	if (b->over || size >= sizeof(b->text) - b->size) {
		b->over = true;
		return;
	}
	memcpy(b->text + b->size, text, size);
	b->size += size;
	b->text[b->size] = '\0';
}

static void
append_string(struct body *b, const char *text)
{
	append(b, "\"", 1);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			append(b, "\\", 1);
		append(b, text, 1);
	}
	append(b, "\"", 1);
}

static void
append_key(struct body *b, const char *key)
{
	if (b->size > 1)
		append(b, ",", 1);
	append_string(b, key);
	append(b, ":", 1);
}

void
body_begin(struct body *b)
{
	b->size = 0;
	b->over = false;
	append(b, "{", 1);
}

void
body_int(struct body *b, const char *key, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, value);

	append_key(b, key);
	append(b, digits, (size_t)n);
}

void
body_text_or_empty(struct body *b, const char *key, const char *text, size_t max)
{
	char clean[RECORD_BODY_MAX];

	(void)record_clean_text(text, clean, max < sizeof(clean) ? max : sizeof(clean));
	append_key(b, key);
	append_string(b, clean);
}

void
body_text(struct body *b, const char *key, const char *text, size_t max)
{
	if (text_present(text))
		body_text_or_empty(b, key, text, max);
}

void
body_raw(struct body *b, const char *key, const char *json)
{
	append_key(b, key);
	append(b, json, strlen(json));
}

void
body_list_begin(struct body *b)
{
	b->size = 0;
	b->over = false;
	append(b, "[", 1);
}

void
body_list_pair(struct body *b, const char *name, int64_t value, size_t max)
{
	char digits[24], clean[RECORD_BODY_MAX];
	int n = snprintf(digits, sizeof(digits), ",%" PRId64 "]", value);

	(void)record_clean_text(name, clean, max < sizeof(clean) ? max : sizeof(clean));
	if (b->size > 1)
		append(b, ",", 1);
	append(b, "[", 1);
	append_string(b, clean);
	append(b, digits, (size_t)n);
}

void
body_list_end(struct body *b)
{
	append(b, "]", 1);
}

int
body_end(struct body *b)
{
	append(b, "}", 1);
	return b->over ? -E2BIG : 0;
}

struct record *
record_new(enum record_kind kind, int64_t ref, const char *body, size_t size)
{
	struct record *r = calloc(1, sizeof(*r) + size + 1);

	if (r != NULL) {
		r->kind = kind;
		r->ref = ref;
		r->body_size = size;
		memcpy(r->body, body, size);
	}
	return r;
}

int64_t
record_body_id(const char *body)
{
	static const char prefix[] = "{\"id\":";

	return strncmp(body, prefix, sizeof(prefix) - 1) == 0
		   ? strtoll(body + sizeof(prefix) - 1, NULL, 10)
		   : 0;
}

void
record_hash(const uint8_t prev[RECORD_HASH_BYTES], int64_t seq, const char *kind, const char *body,
	    size_t body_size, uint8_t ret_hash[RECORD_HASH_BYTES])
{
	_Static_assert(crypto_hash_sha256_BYTES == RECORD_HASH_BYTES, "SHA-256");
	crypto_hash_sha256_state h;
	char head[64];
	int n = snprintf(head, sizeof(head), "cfdfu1\n%" PRId64 "\n%s\n", seq, kind);

	(void)crypto_hash_sha256_init(&h); /* the three never fail in libsodium */
	(void)crypto_hash_sha256_update(&h, prev, RECORD_HASH_BYTES);
	(void)crypto_hash_sha256_update(&h, (const unsigned char *)head, (size_t)n);
	(void)crypto_hash_sha256_update(&h, (const unsigned char *)body, body_size);
	(void)crypto_hash_sha256_final(&h, ret_hash);
}
