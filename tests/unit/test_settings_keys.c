/* SPDX-License-Identifier: MIT */
/* The folder of keys that are trusted to sign firmware. */
#include "config.h"

#include "app/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "test.h"

static const char key_a[] = "untrusted comment: minisign public key 1A69428574ECD87\n"
			    "RWSHzU5XKJSmAYb+FbnCfpFlFVL+IGw8HE3PxeTe06unVQIPEsWbD1PC\n";
static const char key_b[] = "untrusted comment: minisign public key E880838D808DE950\n"
			    "RWRQ6Y2AjYOA6OVVmmlMgHZIt22f5YKv9GHaBQAPZSUvYo4m9U6Usqc3\n";
#define SIGNER_A "01A69428574ECD87"
#define SIGNER_B "E880838D808DE950"

static char root[64];

static int
set_up(void **state)
{
	(void)state;
	copy_text(root, sizeof(root), "/tmp/cfdfud-keys-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static const char *
in_root(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_root(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* trusted: a folder; in error, or "", why there are no settings. */
static struct settings *
load(const char *require, const char *trusted, char error[SETTINGS_ERROR_MAX])
{
	char text[256];
	struct settings *s = NULL;
	int r;

	(void)snprintf(text, sizeof(text), "[firmware]\nrequire-signature = %s\ntrusted = %s\n",
		       require, trusted);
	write_file("cfdfud.conf", text);
	r = settings_load(in_root("cfdfud.conf"), NULL, &s, error);
	assert_true((r < 0) == (s == NULL) && (r < 0) == (error[0] != '\0'));
	return s;
}

static void
assert_refused(const char *trusted, const char *words)
{
	char error[SETTINGS_ERROR_MAX];

	assert_null(load("yes", trusted, error));
	if (strstr(error, words) == NULL)
		fail_msg("not in \"%s\": %s", error, words);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(the_keys_of_the_folder_are_trusted_and_no_others)
{
	char error[SETTINGS_ERROR_MAX];
	struct settings *s;

	write_file("a.pub", key_a);
	write_file("b.pub", key_b);
	write_file("note.txt", "no key");
	write_file(".c.pub", "hidden: no key");
	s = load("yes", root, error);
	assert_non_null(s);
	assert_int_equal(s->keys.count, 2);
	assert_int_equal(settings_trust(s, SIGNER_A), 0);
	assert_int_equal(settings_trust(s, SIGNER_B), 0);
	assert_int_equal(settings_trust(s, "0000000000000000"), -EKEYREJECTED);
	assert_int_equal(settings_trust(s, ""), -ENOKEY);
	assert_int_equal(settings_trust(s, NULL), -ENOKEY);
	settings_free(s);
}

TEST_SET_UP(without_the_folder_no_key_is_trusted_and_without_the_demand_none_is_needed)
{
	char error[SETTINGS_ERROR_MAX];
	struct settings *s = load("no", "/nonexistent/trusted.d", error);

	assert_non_null(s);
	assert_int_equal(s->keys.count, 0);
	assert_int_equal(settings_trust(s, ""), 0);
	assert_int_equal(settings_trust(s, SIGNER_A), 0);
	settings_free(s);
	s = load("yes", "/nonexistent/trusted.d", error);
	assert_non_null(s);
	assert_int_equal(settings_trust(s, SIGNER_A), -EKEYREJECTED);
	settings_free(s);
}

TEST_SET_UP(a_bad_key_or_folder_is_an_error_of_the_configuration)
{
	write_file("a.pub", key_a);
	write_file("b.pub", "no key");
	assert_refused(root, "/b.pub: its first line does not begin");
	write_file("b.pub", "");
	assert_refused(root, "/b.pub: it is empty");
	assert_int_equal(remove(in_root("b.pub")), 0);
	assert_int_equal(mkdir(in_root("b.pub"), 0700), 0);
	assert_refused(root, "/b.pub: Is a directory");
	assert_refused("trusted.d", "an absolute path is needed");
	assert_refused(in_root("a.pub/x"), "a.pub/x: Not a directory");
}

TEST_MAIN(NULL)
