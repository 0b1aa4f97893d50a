/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/radio_block.h"

#include <assert.h>
#include <string.h>

#include "cfdfu/util.h"

/* SPEC: doc/beyond-dfu.md 3. */
enum {
	AT_VERSION = 4,
	AT_CHANNEL = 5,
	AT_RATE = 6,
	AT_TRIMS = 7,
	TRIMS_BYTES = 8,
	AT_ADDRESS_HIGH = 15,
	AT_ADDRESS_LOW = 16,
	AT_SUM = 20,
	AT_SUM_OF_VERSION_0 = 15,
	NEWEST = 1,
	DEFAULT_CHANNEL = 80,
	DEFAULT_RATE = 2,
};

#define DEFAULT_ADDRESS 0xE7E7E7E7E7ULL

static const uint8_t magic[AT_VERSION] = { '0', 'x', 'B', 'C' };

static uint8_t
sum_of(const uint8_t *bytes, unsigned length)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < length; i++)
		sum += bytes[i];
	return (uint8_t)sum;
}

static bool
is_whole(const uint8_t *bytes)
{
	unsigned at = bytes[AT_VERSION] == 0 ? AT_SUM_OF_VERSION_0 : AT_SUM;

	return memcmp(bytes, magic, sizeof(magic)) == 0 && bytes[AT_VERSION] <= NEWEST &&
	       bytes[at] == sum_of(bytes, at);
}

bool
radio_block_is_sane(const struct radio_block *b)
{
	return b->channel <= RADIO_CHANNEL_MAX && b->rate <= RADIO_RATE_MAX &&
	       b->address <= RADIO_ADDRESS_MAX;
}

bool
radio_block_collides(const struct radio_block *a, const struct radio_block *b)
{
	return a->channel == b->channel && a->address == b->address;
}

void
radio_block_decode(struct radio_block *b, const uint8_t bytes[RADIO_BLOCK_BYTES])
{
	*b = (struct radio_block){ .read = true };
	memcpy(b->bytes, bytes, sizeof(b->bytes));
	b->channel = bytes[AT_CHANNEL];
	b->rate = bytes[AT_RATE];
	b->address = DEFAULT_ADDRESS;
	if (bytes[AT_VERSION] == NEWEST)
		b->address =
		    (uint64_t)bytes[AT_ADDRESS_HIGH] << 32 | get_le32(bytes + AT_ADDRESS_LOW);
	b->valid = is_whole(bytes) && radio_block_is_sane(b);
	if (b->valid)
		return;
	b->channel = DEFAULT_CHANNEL;
	b->rate = DEFAULT_RATE;
	b->address = DEFAULT_ADDRESS;
}

void
radio_block_encode(const struct radio_block *wanted, const struct radio_block *old,
		   struct radio_block *ret_block)
{
	uint8_t bytes[RADIO_BLOCK_BYTES] = { 0 };

	assert(radio_block_is_sane(wanted));
	memcpy(bytes, magic, sizeof(magic));
	bytes[AT_VERSION] = NEWEST;
	bytes[AT_CHANNEL] = wanted->channel;
	bytes[AT_RATE] = wanted->rate;
	if (old->valid)
		memcpy(bytes + AT_TRIMS, old->bytes + AT_TRIMS, TRIMS_BYTES);
	bytes[AT_ADDRESS_HIGH] = (uint8_t)(wanted->address >> 32);
	put_le32(bytes + AT_ADDRESS_LOW, (uint32_t)wanted->address);
	bytes[AT_SUM] = sum_of(bytes, AT_SUM);
	radio_block_decode(ret_block, bytes);
}
