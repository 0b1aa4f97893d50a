/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/signature.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMMENT "untrusted comment:"
#define TRUSTED "trusted comment: "
#define HEAD_BYTES 10 /* algorithm (2), id of the key (8, little endian) */
#define KEY_BYTES (HEAD_BYTES + crypto_sign_PUBLICKEYBYTES)
#define SIGNED_BYTES (HEAD_BYTES + crypto_sign_BYTES)
#define SECRET_BYTES 158 /* of a secret key's file */

_Static_assert(crypto_sign_PUBLICKEYBYTES == sizeof(((struct signature_key *)NULL)->bytes),
	       "a key is one of Ed25519");

struct line {
	const char *text; /* without its end; NULL: there is none */
	size_t size;
};

struct signature {
	uint8_t file[SIGNED_BYTES];	    /* its head; then of the file */
	uint8_t comment[crypto_sign_BYTES]; /* of that without its head, and the trusted comment */
	struct line trusted;
};

static int PRINTF_LIKE(2, 3) refuse(char why[SIGNATURE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SIGNATURE_WHY_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

static struct line
next_line(struct line *rest)
{
	const char *end = rest->size > 0 ? memchr(rest->text, '\n', rest->size) : NULL;
	struct line line = *rest;

	if (rest->size == 0)
		return (struct line){ NULL, 0 };
	line.size = end != NULL ? (size_t)(end - rest->text) : rest->size;
	rest->text += line.size + (end != NULL);
	rest->size -= line.size + (end != NULL);
	while (line.size > 0 && line.text[line.size - 1] == '\r')
		line.size--;
	return line;
}

static bool
begins(struct line line, const char *prefix)
{
	return line.size >= strlen(prefix) && memcmp(line.text, prefix, strlen(prefix)) == 0;
}

/* what: the line, in words.  Of up to SECRET_BYTES; how many. */
static int
decode(struct line line, const char *what, uint8_t bytes[SECRET_BYTES], size_t *ret_size,
       char why[SIGNATURE_WHY_MAX])
{
	if (line.text == NULL)
		return refuse(why, "%s is missing", what);
	if (sodium_base642bin(bytes, SECRET_BYTES, line.text, line.size, NULL, ret_size, NULL,
			      sodium_base64_VARIANT_ORIGINAL) < 0)
		return refuse(why, "%s is not base64", what);
	return 0;
}

/* The untrusted comment and the line below it. */
static int
read_first(struct line *rest, const char *what, uint8_t bytes[SECRET_BYTES], size_t *ret_size,
	   char why[SIGNATURE_WHY_MAX])
{
	if (rest->size == 0)
		return refuse(why, "it is empty");
	if (rest->size > SIGNATURE_TEXT_MAX)
		return refuse(why, "it is longer than %d bytes", SIGNATURE_TEXT_MAX);
	if (!begins(next_line(rest), COMMENT))
		return refuse(why, "its first line does not begin with \"" COMMENT "\"");
	return decode(next_line(rest), what, bytes, ret_size, why);
}

static int
read_end(struct line rest, char why[SIGNATURE_WHY_MAX])
{
	while (rest.size > 0)
		if (next_line(&rest).size > 0)
			return refuse(why, "there is more text behind its end");
	return 0;
}

static void
format_signer(const uint8_t *id, char ret_signer[SIGNATURE_SIGNER_MAX])
{
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(ret_signer + 2 * i, 3, "%02X", id[7 - i]);
}

static const struct signature_key *
find(const struct signature_keys *keys, const char *signer)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->list[i].signer, signer) == 0)
			return &keys->list[i];
	return NULL;
}

bool
signature_trusts(const struct signature_keys *keys, const char *signer)
{
	return signer != NULL && find(keys, signer) != NULL;
}

int
signature_add_key(struct signature_keys *keys, const char *text, size_t size,
		  char ret_why[SIGNATURE_WHY_MAX])
{
	struct line rest = { text, size };
	uint8_t bytes[SECRET_BYTES];
	const struct signature_key *old;
	struct signature_key key;
	int r = read_first(&rest, "the line of the key", bytes, &size, ret_why);

	if (r < 0)
		return r;
	if (size == SECRET_BYTES)
		return refuse(ret_why, "it holds a secret key, which belongs on no station");
	if (size != KEY_BYTES)
		return refuse(ret_why, "its key has %zu bytes, not %zu", size, (size_t)KEY_BYTES);
	if (memcmp(bytes, "Ed", 2) != 0)
		return refuse(ret_why, "its key is none of Ed25519");
	if (read_end(rest, ret_why) < 0)
		return -EINVAL;
	format_signer(bytes + 2, key.signer);
	memcpy(key.bytes, bytes + HEAD_BYTES, sizeof(key.bytes));
	old = find(keys, key.signer);
	if (old != NULL && memcmp(old->bytes, key.bytes, sizeof(key.bytes)) != 0)
		return refuse(ret_why, "another key has its id, %s", key.signer);
	if (old == NULL && keys->count == SIGNATURE_KEYS_MAX)
		return refuse(ret_why, "there are more than %d keys", SIGNATURE_KEYS_MAX);
	if (old == NULL)
		keys->list[keys->count++] = key;
	return 0;
}

static int
read_signature(const char *text, struct signature *s, char why[SIGNATURE_WHY_MAX])
{
	struct line rest = { text, strlen(text) };
	uint8_t bytes[SECRET_BYTES];
	size_t size = 0;

	if (read_first(&rest, "the line of the signature", bytes, &size, why) < 0)
		return -EINVAL;
	if (size == KEY_BYTES)
		return refuse(why, "it is a public key, not a signature");
	if (size != SIGNED_BYTES)
		return refuse(why, "it has %zu bytes, not %zu", size, (size_t)SIGNED_BYTES);
	if (memcmp(bytes, "ED", 2) != 0 && memcmp(bytes, "Ed", 2) != 0)
		return refuse(why, "its algorithm is neither ED nor Ed");
	memcpy(s->file, bytes, sizeof(s->file));
	s->trusted = next_line(&rest);
	if (!begins(s->trusted, TRUSTED))
		return refuse(why,
			      "it has no trusted comment: minisign makes one, signify does not");
	s->trusted.text += strlen(TRUSTED);
	s->trusted.size -= strlen(TRUSTED);
	if (decode(next_line(&rest), "the signature of its trusted comment", bytes, &size, why) < 0)
		return -EINVAL;
	if (size != sizeof(s->comment))
		return refuse(why, "the signature of its trusted comment has %zu bytes, not %zu",
			      size, sizeof(s->comment));
	memcpy(s->comment, bytes, sizeof(s->comment));
	return read_end(rest, why);
}

static bool
fits_file(const struct signature *s, const struct signature_key *key, const void *data, size_t size)
{
	uint8_t hash[crypto_generichash_BYTES_MAX];
	bool hashed = s->file[1] == 'D';

	if (hashed)
		(void)crypto_generichash(hash, sizeof(hash), data, size, NULL, 0); /* always 0 */
	return crypto_sign_verify_detached(s->file + HEAD_BYTES, hashed ? hash : data,
					   hashed ? sizeof(hash) : size, key->bytes) == 0;
}

static bool
fits_comment(const struct signature *s, const struct signature_key *key)
{
	uint8_t all[crypto_sign_BYTES + SIGNATURE_TEXT_MAX];

	memcpy(all, s->file + HEAD_BYTES, crypto_sign_BYTES);
	memcpy(all + crypto_sign_BYTES, s->trusted.text, s->trusted.size);
	return crypto_sign_verify_detached(s->comment, all, crypto_sign_BYTES + s->trusted.size,
					   key->bytes) == 0;
}

int
signature_check(const struct signature_keys *keys, const char *signature, const void *data,
		size_t size, struct signature_result *ret_result)
{
	char signer[SIGNATURE_SIGNER_MAX], *why = ret_result->why;
	const struct signature_key *key;
	struct signature s;

	*ret_result = (struct signature_result){ .signer = "" };
	if (read_signature(signature, &s, why) < 0)
		return -EINVAL;
	format_signer(s.file + 2, signer);
	key = find(keys, signer);
	if (key == NULL) {
		(void)refuse(why, "the key that made it, %s, is not trusted here", signer);
		return -ENOKEY;
	}
	if (!fits_file(&s, key, data, size))
		return refuse(why, "it is not of these bytes: they were changed since, or it "
				   "belongs to another file");
	if (!fits_comment(&s, key))
		return refuse(why, "its trusted comment was changed");
	copy_text(ret_result->signer, SIGNATURE_SIGNER_MAX, signer);
	return 0;
}
