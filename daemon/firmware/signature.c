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
#define ID_AT 2	      /* behind the algorithm; 8 bytes, little endian */
#define HEAD_BYTES 10 /* both */
#define KEY_BYTES (HEAD_BYTES + crypto_sign_PUBLICKEYBYTES)
#define SIGNED_BYTES (HEAD_BYTES + crypto_sign_BYTES)
#define SECRET_BYTES 158 /* of a secret key's file */

/* A file that is read line by line. */
struct reading {
	char text[SIGNATURE_TEXT_MAX + 1], *rest;
	uint8_t bytes[SECRET_BYTES]; /* of the line that was decoded last */
	size_t size;
	char *why;
};

struct signature {
	uint8_t head[HEAD_BYTES];
	uint8_t file[crypto_sign_BYTES + SIGNATURE_TEXT_MAX]; /* behind it the trusted comment */
	size_t size;					      /* of both */
	uint8_t comment[crypto_sign_BYTES];		      /* of both */
};

static int PRINTF_LIKE(2, 3) refuse(char why[SIGNATURE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SIGNATURE_WHY_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

/* "" behind the last one. */
static char *
next_line(struct reading *g)
{
	char *line = g->rest != NULL ? strsep(&g->rest, "\n") : g->text + strlen(g->text);

	line[strcspn(line, "\r")] = '\0';
	return line;
}

static int
decode_line(struct reading *g, const char *what)
{
	const char *line = next_line(g);

	if (line[0] == '\0')
		return refuse(g->why, "%s is missing", what);
	if (sodium_base642bin(g->bytes, sizeof(g->bytes), line, strlen(line), NULL, &g->size, NULL,
			      sodium_base64_VARIANT_ORIGINAL) < 0)
		return refuse(g->why, "%s is not base64", what);
	return 0;
}

/* The untrusted comment and the line below it, which is decoded; what: in words. */
static int
begin(struct reading *g, const char *text, size_t size, const char *what)
{
	if (size == 0)
		return refuse(g->why, "it is empty");
	if (size > SIGNATURE_TEXT_MAX)
		return refuse(g->why, "it is longer than %d bytes", SIGNATURE_TEXT_MAX);
	memcpy(g->text, text, size);
	g->text[size] = '\0';
	g->rest = g->text;
	if (strncmp(next_line(g), COMMENT, strlen(COMMENT)) != 0)
		return refuse(g->why, "its first line does not begin with \"" COMMENT "\"");
	return decode_line(g, what);
}

static int
finish(struct reading *g)
{
	while (g->rest != NULL)
		if (next_line(g)[0] != '\0')
			return refuse(g->why, "there is more text behind its end");
	return 0;
}

static void
format_signer(const uint8_t *head, char ret_signer[SIGNATURE_SIGNER_MAX])
{
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(ret_signer + 2 * i, 3, "%02X", head[ID_AT + 7 - i]);
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
	struct reading g = { .why = ret_why };
	const struct signature_key *old;
	struct signature_key key;

	if (begin(&g, text, size, "the line of the key") < 0)
		return -EINVAL;
	if (g.size == SECRET_BYTES)
		return refuse(ret_why, "it holds a secret key, which belongs on no station");
	if (g.size != KEY_BYTES)
		return refuse(ret_why, "its key has %zu bytes, not %zu", g.size, (size_t)KEY_BYTES);
	if (memcmp(g.bytes, "Ed", 2) != 0)
		return refuse(ret_why, "its key is none of Ed25519");
	if (finish(&g) < 0)
		return -EINVAL;
	format_signer(g.bytes, key.signer);
	memcpy(key.bytes, g.bytes + HEAD_BYTES, sizeof(key.bytes));
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
read_signature(struct reading *g, const char *text, struct signature *s)
{
	const char *line;

	if (begin(g, text, strlen(text), "the line of the signature") < 0)
		return -EINVAL;
	if (g->size == KEY_BYTES)
		return refuse(g->why, "it is a public key, not a signature");
	if (g->size != SIGNED_BYTES)
		return refuse(g->why, "it has %zu bytes, not %zu", g->size, (size_t)SIGNED_BYTES);
	if (memcmp(g->bytes, "ED", 2) != 0 && memcmp(g->bytes, "Ed", 2) != 0)
		return refuse(g->why, "its algorithm is neither ED nor Ed");
	memcpy(s->head, g->bytes, sizeof(s->head));
	memcpy(s->file, g->bytes + HEAD_BYTES, crypto_sign_BYTES);
	line = next_line(g);
	if (strncmp(line, TRUSTED, strlen(TRUSTED)) != 0)
		return refuse(g->why, "it has no trusted comment: minisign makes one, signify does "
				      "not");
	line += strlen(TRUSTED);
	memcpy(s->file + crypto_sign_BYTES, line, strlen(line));
	s->size = crypto_sign_BYTES + strlen(line);
	if (decode_line(g, "the signature of its trusted comment") < 0)
		return -EINVAL;
	if (g->size != sizeof(s->comment))
		return refuse(g->why, "the signature of its trusted comment has %zu bytes, not %zu",
			      g->size, sizeof(s->comment));
	memcpy(s->comment, g->bytes, sizeof(s->comment));
	return finish(g);
}

static bool
fits_file(const struct signature *s, const struct signature_key *key, const void *data, size_t size)
{
	uint8_t hash[crypto_generichash_BYTES_MAX];
	bool hashed = s->head[1] == 'D';

	if (hashed)
		(void)crypto_generichash(hash, sizeof(hash), data, size, NULL, 0); /* always 0 */
	return crypto_sign_verify_detached(s->file, hashed ? hash : data,
					   hashed ? sizeof(hash) : size, key->bytes) == 0;
}

int
signature_check(const struct signature_keys *keys, const char *signature, const void *data,
		size_t size, struct signature_result *ret_result)
{
	struct reading g = { .why = ret_result->why };
	char signer[SIGNATURE_SIGNER_MAX];
	const struct signature_key *key;
	struct signature s;

	*ret_result = (struct signature_result){ .signer = "" };
	if (read_signature(&g, signature, &s) < 0)
		return -EINVAL;
	format_signer(s.head, signer);
	key = find(keys, signer);
	if (key == NULL) {
		(void)refuse(g.why, "the key that made it, %s, is not trusted here", signer);
		return -ENOKEY;
	}
	if (!fits_file(&s, key, data, size))
		return refuse(g.why, "it is not of these bytes: they were changed since, or it "
				     "belongs to another file");
	if (crypto_sign_verify_detached(s.comment, s.file, s.size, key->bytes) < 0)
		return refuse(g.why, "its trusted comment was changed");
	copy_text(ret_result->signer, SIGNATURE_SIGNER_MAX, signer);
	return 0;
}
