/* SPDX-License-Identifier: MIT */
/*
 * Signatures that minisign 0.11 has made, and each way in which one can be wrong.
 *
 * minisign -G -W -p a.pub -s a.key; minisign -S -s a.key -m message -t "release 2026.08" (with -l:
 * plain; with another -t: again); the same with a second key (other).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#include "firmware/signature.h"

static const char message[] = "The image, as it is.\n";
static const char key_a[] = "untrusted comment: minisign public key 1A69428574ECD87\n"
			    "RWSHzU5XKJSmAYb+FbnCfpFlFVL+IGw8HE3PxeTe06unVQIPEsWbD1PC\n";
static const char key_b[] = "untrusted comment: minisign public key E880838D808DE950\n"
			    "RWRQ6Y2AjYOA6OVVmmlMgHZIt22f5YKv9GHaBQAPZSUvYo4m9U6Usqc3\n";
static const char secret_key[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAh81OVyiUpgG1Q1vg+D6LgWrkMLYOFVOlZ4rhvYHUyAN5xUjJNiD9nIb+Fb"
    "nCfpFlFVL+IGw8HE3PxeTe06unVQIPEsWbD1PCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char hashed[] = "untrusted comment: signed for the test\n"
			     "RUSHzU5XKJSmAVAFqdUyoTmNC3ndlW7Zxo7ivq2I+VotcVYZIfwhhxWNrhnD"
			     "t4RfDwx2aNeMbh29LR9qanSVFvMDZa1wjkuLJwU=\n"
			     "trusted comment: release 2026.08\n"
			     "A2jWAYT+29DWvaccj8DaH+xAEySkmjA4hhWtrM+q19n9QhcbpmPyReyQxGbC"
			     "HrqnjMkg3eTA8MCrtjiF6d47BQ==\n";
static const char plain[] = "untrusted comment: signature from minisign secret key\n"
			    "RWSHzU5XKJSmAfwWDr2Q2R+rq2keJoLCH9u5FS7rKET3oCBaPQFF/sJQriyG"
			    "RmKV8M6nZJrZjQc5d8xCzjNiQCk9LUxFbDwt5wE=\n"
			    "trusted comment: release 2026.08\n"
			    "7InkwmCLK48BgwET1DIJMxlFJeInH9OTzmX1YTNRoksU+PHm93rTwWXSa/9J"
			    "1DXPra9b+Dqh2fwqt3BlFoCOBg==\n";
static const char other[] = "untrusted comment: signature from minisign secret key\n"
			    "RURQ6Y2AjYOA6OJjbSa/1BAimkYRlQzXHrRbKyAC5lTCf4/mt14b/+miVNbh"
			    "kDlGE1Fe0QgbaNDstLWh5tJ4/8kRowMWEpMAtgk=\n"
			    "trusted comment: timestamp:1796057388\tfile:message\thashed\n"
			    "zNmUGXeFHlYqul2+jd4LNarBlzSlyDC0/92cd/+gXkgS323wO8ETR5gVNV7w"
			    "VqEcSz4rizHDaoaUVQRLfuymAw==\n";
static const char again[] = "untrusted comment: signature from minisign secret key\n"
			    "RUSHzU5XKJSmAVAFqdUyoTmNC3ndlW7Zxo7ivq2I+VotcVYZIfwhhxWNrhnD"
			    "t4RfDwx2aNeMbh29LR9qanSVFvMDZa1wjkuLJwU=\n"
			    "trusted comment: another comment\n"
			    "i8t+9l3A/Jl8itG6kF/pCoM8oppf92sfkES1qJOS8sb8JebjuWIlRdZnj8xF"
			    "Rbs2SS3zDRncRjhxkifLCsmmCw==\n";

#define SIGNER_A "01A69428574ECD87"
#define SIGNER_B "E880838D808DE950"

static struct signature_keys
trusted(const char *key)
{
	struct signature_keys keys = { .count = 0 };
	char why[SIGNATURE_WHY_MAX];

	assert_int_equal(signature_add_key(&keys, key, strlen(key), why), 0);
	return keys;
}

static void
assert_refused(const struct signature_keys *keys, const char *signature, const char *data,
	       const char *words)
{
	struct signature_result r;

	assert_int_equal(signature_check(keys, signature, data, strlen(data), &r),
			 strstr(words, "not trusted") != NULL ? -ENOKEY : -EINVAL);
	assert_string_equal(r.why, words);
	assert_string_equal(r.signer, "");
}

/* One place of a text exchanged. */
static const char *
with(const char *text, const char *old, const char *new)
{
	static char changed[1024];
	const char *at = strstr(text, old);

	assert_non_null(at);
	(void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, new,
		       at + strlen(old));
	return changed;
}

TEST(what_minisign_signed_is_taken_with_the_keys_id)
{
	struct signature_keys keys = trusted(key_a);
	struct signature_result r;
	const char *good[] = { hashed, plain, again };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(signature_check(&keys, good[i], message, strlen(message), &r), 0);
		assert_string_equal(r.signer, SIGNER_A);
	}
	assert_true(signature_trusts(&keys, SIGNER_A));
	assert_false(signature_trusts(&keys, SIGNER_B));
	assert_false(signature_trusts(&keys, NULL));
	assert_false(signature_trusts(&keys, ""));
}

TEST(each_of_the_trusted_keys_counts_and_one_counts_once)
{
	struct signature_keys keys = trusted(key_b);
	struct signature_result r;
	char why[SIGNATURE_WHY_MAX];

	assert_int_equal(signature_add_key(&keys, key_a, strlen(key_a), why), 0);
	assert_int_equal(signature_add_key(&keys, key_a, strlen(key_a), why), 0);
	assert_int_equal(keys.count, 2);
	assert_int_equal(signature_check(&keys, other, message, strlen(message), &r), 0);
	assert_string_equal(r.signer, SIGNER_B);
	assert_int_equal(signature_check(&keys, hashed, message, strlen(message), &r), 0);
	assert_string_equal(r.signer, SIGNER_A);
}

TEST(line_ends_of_other_systems_and_a_missing_last_one_are_taken)
{
	struct signature_keys keys = { .count = 0 };
	struct signature_result r;
	char text[1024], why[SIGNATURE_WHY_MAX];
	size_t n = 0;

	for (const char *c = hashed; *c != '\0'; c++) {
		if (*c == '\n')
			text[n++] = '\r';
		text[n++] = *c;
	}
	text[n - 2] = '\0';
	assert_int_equal(signature_add_key(&keys, key_a, strlen(key_a) - 1, why), 0);
	assert_int_equal(signature_check(&keys, text, message, strlen(message), &r), 0);
	(void)snprintf(text, sizeof(text), "%s\r\n\n", hashed);
	assert_int_equal(signature_check(&keys, text, message, strlen(message), &r), 0);
}

TEST(each_way_to_be_wrong_has_its_own_words)
{
	static const struct {
		const char *from, *old, *new, *words;
	} bad[] = {
		{ "", "", "", "it is empty" },
		{ hashed, "untrusted", "trusted",
		  "its first line does not begin with \"untrusted comment:\"" },
		{ "untrusted comment: x\n", "", "", "the line of the signature is missing" },
		{ hashed, "RUSH", "RU!H", "the line of the signature is not base64" },
		{ hashed, "RUSH", "RUSHRUSH", "it has 77 bytes, not 74" },
		{ hashed, "RUSH", "RVSH", "its algorithm is neither ED nor Ed" },
		{ key_a, "", "", "it is a public key, not a signature" },
		{ hashed, "\ntrusted comment: ", "\n# ",
		  "it has no trusted comment: minisign makes one, signify does not" },
		{ hashed, "release 2026.08\n", "release 2026.07\n",
		  "its trusted comment was changed" },
		{ hashed, "==", "?=", "the signature of its trusted comment is not base64" },
		{ hashed, "A2jW", "A2jWA2jW",
		  "the signature of its trusted comment has 67 bytes, not 64" },
		{ hashed, "BQ==\n", "BQ==\nmore\n", "there is more text behind its end" },
		{ other, "", "", "the key that made it, " SIGNER_B ", is not trusted here" },
		{ hashed, "RUSHzU5XKJSmAV", "RUSHzU5XKJSmAX",
		  "it is not of these bytes: they were changed since, or it belongs to another "
		  "file" },
		{ plain, "RWSH", "RUSH", /* its hash is signed no more than it says */
		  "it is not of these bytes: they were changed since, or it belongs to another "
		  "file" },
	};
	struct signature_keys keys = trusted(key_a), none = { .count = 0 };
	char text[SIGNATURE_TEXT_MAX + 2], cut[512];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(&keys, with(bad[i].from, bad[i].old, bad[i].new), message,
			       bad[i].words);
	copy_text(cut, (size_t)(strstr(hashed, "A2jW") - hashed) + 1, hashed);
	assert_refused(&keys, cut, message, "the signature of its trusted comment is missing");
	assert_refused(&keys, hashed, "The image, as it was.\n",
		       "it is not of these bytes: they were changed since, or it belongs to "
		       "another file");
	assert_refused(&none, hashed, message,
		       "the key that made it, " SIGNER_A ", is not trusted here");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_refused(&keys, text, message, "it is longer than 10240 bytes");
}

TEST(a_changed_byte_anywhere_is_never_taken)
{
	struct signature_keys keys = trusted(key_a);
	char text[sizeof(hashed)], data[sizeof(message)];
	struct signature_result r;
	size_t head = (size_t)(strchr(hashed, '\n') - hashed);

	for (size_t i = 0; i + 1 < sizeof(message); i++) {
		memcpy(data, message, sizeof(data));
		data[i] ^= 1;
		assert_true(signature_check(&keys, hashed, data, strlen(message), &r) < 0);
	}
	for (size_t i = head; i + 2 < sizeof(hashed); i++) {
		memcpy(text, hashed, sizeof(text));
		text[i] ^= 2;
		assert_true(signature_check(&keys, text, message, strlen(message), &r) < 0);
	}
	for (size_t n = 0; n + 2 < sizeof(hashed); n++) {
		copy_text(text, n + 1, hashed);
		assert_true(signature_check(&keys, text, message, strlen(message), &r) < 0);
	}
}

static void
assert_no_key(struct signature_keys *keys, const char *text, size_t size, const char *words)
{
	char why[SIGNATURE_WHY_MAX] = "";
	size_t count = keys->count;

	assert_int_equal(signature_add_key(keys, text, size, why), -EINVAL);
	assert_string_equal(why, words);
	assert_int_equal(keys->count, count);
}

TEST(each_bad_key_file_has_its_own_words)
{
	static const struct {
		const char *from, *old, *new, *words;
	} bad[] = {
		{ "", "", "", "it is empty" },
		{ key_a, "untrusted comment", "minisign",
		  "its first line does not begin with \"untrusted comment:\"" },
		{ "untrusted comment: x\n", "", "", "the line of the key is missing" },
		{ key_a, "RWSH", "RW SH", "the line of the key is not base64" },
		{ hashed, "", "", "its key has 74 bytes, not 42" },
		{ secret_key, "", "", "it holds a secret key, which belongs on no station" },
		{ key_a, "RWSH", "RVSH", "its key is none of Ed25519" },
		{ key_a, "1PC\n", "1PC\nmore\n", "there is more text behind its end" },
		{ key_a, "1PC\n", "1PA\n", "another key has its id, " SIGNER_A },
	};
	struct signature_keys keys = trusted(key_a);
	char text[SIGNATURE_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *changed = with(bad[i].from, bad[i].old, bad[i].new);

		assert_no_key(&keys, changed, strlen(changed), bad[i].words);
	}
	assert_no_key(&keys, key_a, strlen(key_a) - 10, "the line of the key is not base64");
	assert_no_key(&keys, text, sizeof(text), "it is longer than 10240 bytes");
}

TEST(more_keys_than_the_limit_are_refused)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct signature_keys keys = { .count = 0 };
	char text[sizeof(key_a)], why[SIGNATURE_WHY_MAX], *place;

	memcpy(text, key_a, sizeof(text));
	place = strstr(text, "zU5X");
	for (size_t i = 0; i < SIGNATURE_KEYS_MAX; i++) {
		place[1] = digits[i];
		assert_int_equal(signature_add_key(&keys, text, strlen(text), why), 0);
	}
	place[1] = digits[SIGNATURE_KEYS_MAX];
	assert_no_key(&keys, text, strlen(text), "there are more than 32 keys");
}

TEST_MAIN(NULL)
