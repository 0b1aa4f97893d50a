/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/counters.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define ONE(member)                                                                                \
	{                                                                                          \
#member, offsetof(struct drone_counters, member)                                   \
	}

static const struct {
	const char *name;
	size_t offset;
} members[] = {
	ONE(requests),	     ONE(standard),	 ONE(beyond_standard), ONE(writing),
	ONE(vendor),	     ONE(cdc),		 ONE(bulk_out),	       ONE(bulk_in),
	ONE(resets),	     ONE(stalls),	 ONE(nak_us),	       ONE(busy_us),
	ONE(blocks_written), ONE(bytes_written), ONE(blocks_read),     ONE(bytes_read),
	ONE(set_addresses),  ONE(erases),	 ONE(outside_writes),  ONE(outside_erases),
	ONE(mass_erases),    ONE(unprotects),	 ONE(option_writes),   ONE(otp_writes),
	ONE(feature_writes), ONE(overwrites),	 ONE(reboots),	       ONE(leaves),
	ONE(boots),	     ONE(enumerations),	 ONE(lights_good),     ONE(lights_bad),
	ONE(passthrough),    ONE(fates),	 ONE(darks),	       ONE(vcc_cycles),
	ONE(deck_erases),    ONE(deck_bytes),
};

void
counters_print(const struct drone_counters *c, FILE *out)
{
	unsigned last = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		uint64_t v;

		memcpy(&v, (const char *)c + members[i].offset, sizeof(v));
		(void)fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", members[i].name, v);
	}
	(void)fprintf(out, ",\"dfu\":[");
	for (size_t i = 0; i < ARRAY_LEN(c->dfu); i++)
		(void)fprintf(out, "%s%" PRIu64, i == 0 ? "" : ",", c->dfu[i]);
	(void)fprintf(out, "],\"asserts\":[");
	for (size_t i = 0; i < ARRAY_LEN(c->asserts); i++)
		(void)fprintf(out, "%s%" PRIu64, i == 0 ? "" : ",", c->asserts[i]);
	for (unsigned i = 0; i < DRONE_SECTORS_MAX; i++)
		if (c->sector_erases[i] > 0)
			last = i;
	(void)fprintf(out, "],\"sector_erases\":[");
	for (unsigned i = 0; i <= last; i++)
		(void)fprintf(out, "%s%u", i == 0 ? "" : ",", c->sector_erases[i]);
	(void)fprintf(out, "]}\n");
}
