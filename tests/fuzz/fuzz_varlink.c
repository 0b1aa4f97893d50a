/* SPDX-License-Identifier: MIT */
/* Any bytes as a stream of Varlink calls and replies, in pieces of any size. */
#include "config.h"

#include "wire/varlink.h"

#include <stdlib.h>

#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse(const char *text, size_t count)
{
	struct varlink_reply reply;
	struct varlink_call call;
	const char *why;
	char clean[256];

	if (varlink_parse_call(text, count, &call, &why) == 0) {
		char *again;
		size_t n;

		if (varlink_format_call(call.method, call.parameters, 0, 1 << 20, &again, &n) == 0)
			free(again);
		varlink_call_done(&call);
	}
	if (varlink_parse_reply(text, count, &reply, &why) == 0)
		varlink_reply_done(&reply);
	(void)text_clean(clean, sizeof(clean), text); /* WHY: only its memory accesses matter */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size > 0 ? 1 + data[0] % 64 : 1;
	struct varlink_in *in;
	const char *text;
	size_t count;
	int r = 0;

	if (varlink_in_new(4096, &in) < 0)
		return 0;
	for (size_t at = 0; at < size && r >= 0; at += piece) {
		if (varlink_in_add(in, data + at, size - at < piece ? size - at : piece) < 0)
			break;
		while ((r = varlink_in_next(in, &text, &count)) > 0)
			parse(text, count);
	}
	varlink_in_free(in);
	return 0;
}
