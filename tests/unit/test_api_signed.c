/* SPDX-License-Identifier: MIT */
/*
 * app/api_file: firmware that a signed selection names, as cfdfu-pull offers it.  The signatures
 * are of minisign 0.11: minisign -S -s a.key -m selection.json -t lab.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_api_bench.h"

static const char key[] = "untrusted comment: minisign public key 93B4120D096426A4\n"
			  "RWSkJmQJDRK0kx8wDX3S3BTO9AeW0327WniBMC3tYgsQEIN5OHAYa77g\n";
/* The sum is that of the file "one". */
static const char selection[] =
    "{\"format\":1,\"serial\":1,\"valid_from\":\"2026-01-01T00:00:00Z\",\"valid_until"
    "\":\"2026-02-01T00:00:00Z\",\"firmware\":[{\"platform\":\"cf2\",\"name\":\"one\""
    ",\"version\":\"1\",\"sha256\":\"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e71"
    "43c0add73ff431ed\",\"file\":\"one.bin\"}]}";
static const char of_selection[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUSkJmQJDRK0k2plQBNUX+qKlPL440VYBM0Wv7lbmmXH4D6PRCxghfX6Jbe16K2xA4EQiZej0BRe0P3j"
    "LVV+Ev/jtYQ8vAvJ4QE=\n"
    "trusted comment: lab\n"
    "P+H9Uhaqx08eZ4KmfEbDqLIi3OrUGLKcY4OuS26/NTgK4vEYxZitI4tFweLWRqYVPzR6LtoWhTMDAzKSKvN5CA==\n";
static const char no_selection[] = "{\"format\":2}";
static const char of_no_selection[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUSkJmQJDRK0k4hLi5V50DlSRKiJWZ2G2jrrEVvPx3AJriEa6crb1h5YNYCl2FvoXI2dU5FR5TkO0kBp"
    "3Tg631KMC3Pr/gVtEgU=\n"
    "trusted comment: lab\n"
    "Yp0hiYgkOPYW19fE84Hzgb5H+mTDgArJzXgsGeT9SpXuudxR4/YWEoY+p2DBw4jZmX5rAdzc22MtCxyVewzYDA==\n";

static void
offer_as(struct bench *b, const char *text, const char *signature, const char *platform,
	 const char *file, const char *words)
{
	json_t *q =
	    json_pack("{s:s, s:s, s:s, s:s, s:s*}", "source_name", "one.bin", "source_sha256", "0",
		      "signature", signature, "selection", text, "platform", platform);
	char *parameters = json_dumps(q, 0);
	int fd = memfd_create("one", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, file, strlen(file)) == (ssize_t)strlen(file));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
	replies(b, "AddFirmware", parameters, fd, words);
	free(parameters);
	json_decref(q);
}

static void
offer(struct bench *b, const char *text, const char *signature, const char *file, const char *words)
{
	offer_as(b, text, signature, "cf2", file, words);
}

TEST_WITH(a_signed_selection_vouches_for_the_files_that_it_names_alone, set_up, tear_down)
{
	struct bench *b = *state;
	char why[SIGNATURE_WHY_MAX];

	recorder_look(b->sv.recorder, true);
	offer(b, selection, of_selection, "one", "SignatureRefused");
	assert_int_equal(signature_add_key(&b->sv.settings->keys, key, strlen(key), why), 0);
	offer(b, selection, of_selection, "one", "ImageRefused"); /* it is no firmware */
	offer(b, selection, of_selection, "two",
	      "SignatureRefused\",\"parameters\":{\"reason\":\"selection.json is refused: the "
	      "file is none of those that it names for cf2.");
	offer_as(b, selection, of_selection, NULL, "one", "InvalidParameter");
	offer_as(b, selection, of_selection, "bolt", "one",
		 "SignatureRefused\",\"parameters\":{\"reason\":\"selection.json is refused: the "
		 "file is none of those that it names for bolt.");
	offer(b, no_selection, of_no_selection, "one", "selection.json is refused: only format 1");
	offer(b, no_selection, of_selection, "one", "The signature of selection.json is refused: ");
}

TEST_MAIN(NULL)
