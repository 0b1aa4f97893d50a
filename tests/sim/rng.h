/* SPDX-License-Identifier: MIT */
/* Seeded random numbers of our own (splitmix64): a seed gives the same world on every machine. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void
rng_init(struct rng *r, uint64_t seed)
{
	r->state = seed;
}

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t z = (r->state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* A number in low..high, both included. */
static inline uint64_t
rng_between(struct rng *r, uint64_t low, uint64_t high)
{
	return low + rng_next(r) % (high - low + 1);
}

/* True in this many of a hundred. */
static inline bool
rng_chance(struct rng *r, unsigned percent)
{
	return rng_next(r) % 100 < percent;
}

static inline uint32_t
rng_pick(struct rng *r, const uint32_t *values, size_t count)
{
	return values[rng_next(r) % count];
}

/* One of these numbers. */
#define RNG_PICK(r, ...)                                                                           \
	rng_pick(r, (const uint32_t[]){ __VA_ARGS__ },                                             \
		 sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

#endif
