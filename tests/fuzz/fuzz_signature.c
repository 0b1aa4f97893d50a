/* SPDX-License-Identifier: MIT */
/* Any bytes as a minisign key file, and as the signature of a file: refused in words, or a key. */
#include "config.h"

#include "firmware/signature.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char trusted[] = "untrusted comment: minisign public key 1A69428574ECD87\n"
			      "RWSHzU5XKJSmAYb+FbnCfpFlFVL+IGw8HE3PxeTe06unVQIPEsWbD1PC\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct signature_keys keys = { .count = 0 };
	struct signature_result r;
	char *text = malloc(size + 1), why[SIGNATURE_WHY_MAX] = "";
	int e;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	e = signature_add_key(&keys, text, size, why);
	assert((e == 0) == (keys.count == 1) && (e == 0 || why[0] != '\0'));
	e = signature_add_key(&keys, trusted, strlen(trusted), why);
	assert(e == 0 || keys.count == 1);
	/* WHY of itself: what was signed cannot hold its own signature. */
	e = signature_check(&keys, text, text, size, &r);
	assert(e < 0 && r.why[0] != '\0' && r.signer[0] == '\0');
	free(text);
	return 0;
}
