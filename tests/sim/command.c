/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bitstream.h"
#include "sim/chip.h"
#include "sim/counters.h"
#include "sim/rng.h"

#define WORDS_MAX 64
#define FILE_BYTES_MAX (16U * 1024 * 1024) /* LIMIT: the largest memory described */

struct call {
	struct commander *c;
	int count;
	char *word[WORDS_MAX];
	FILE *out;
	bool of_a_rack; /* a line of a file */
	char error[256];
};

void
commander_init(struct commander *c, struct world *w, uint64_t seed)
{
	struct drone_config fresh;

	drone_config_init(&fresh, seed);
	*c = (struct commander){ .world = w, .timing = fresh.timing, .seed = seed };
}

/* ---- helpers ---- */

static int
fail(struct call *k, const char *text)
{
	copy_text(k->error, sizeof(k->error), text);
	return -EINVAL;
}

static int
fail_errno(struct call *k, int r)
{
	if (r < 0)
		(void)snprintf(k->error, sizeof(k->error), "%s", strerror(-r));
	return r;
}

static int
number(struct call *k, const char *word, uint32_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(word, &end, 0);
	if (errno != 0 || end == word || *end != '\0' || *word == '-' || v > UINT32_MAX) {
		(void)snprintf(k->error, sizeof(k->error), "'%.40s' is not a number", word);
		return -EINVAL;
	}
	*ret = (uint32_t)v;
	return 0;
}

static struct drone *
drone_named(struct call *k)
{
	struct drone *d = world_drone(k->c->world, k->word[1]);

	if (d == NULL)
		(void)snprintf(k->error, sizeof(k->error), "no drone on port '%.40s'", k->word[1]);
	return d;
}

/* ---- drones come and go ---- */

/* KEY=VALUE, taken apart; "_" in the key is "-".  NULL: there is no "=". */
static char *
split(char *word)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return NULL;
	*value++ = '\0';
	for (char *p = word; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return value;
}

static int
run_add(struct call *k)
{
	const char *controller = NULL, *translator = NULL, *path = NULL;
	struct drone_config c;
	int r;

	drone_config_init(&c, k->c->seed);
	c.timing = k->c->timing;
	c.count_standard = k->c->count_standard;
	for (int i = 2; i < k->count; i++) {
		char *value = split(k->word[i]);

		if (value == NULL)
			return fail(k, "words after the port are KEY=VALUE");
		if (strcmp(k->word[i], "controller") == 0)
			controller = value;
		else if (strcmp(k->word[i], "translator") == 0)
			translator = value;
		else if (strcmp(k->word[i], "path") == 0)
			path = value;
		else if (drone_config_set(&c, k->word[i], value, k->error, sizeof(k->error)) < 0)
			return -EINVAL;
	}
	r = fail_errno(k, world_add(k->c->world, k->word[1], controller, translator, &c));
	if (r == 0 && path != NULL)
		world_set_path(k->c->world, k->word[1], path);
	if (r == 0)
		k->c->seed++;
	return r;
}

static int
run_set(struct call *k)
{
	struct drone *d = drone_named(k);
	char *value = split(k->word[2]);

	if (d == NULL)
		return -ENOENT;
	if (value == NULL)
		return fail(k, "the word after the port is KEY=VALUE");
	return drone_set(d, k->word[2], value, k->error, sizeof(k->error));
}

static int
run_hand(struct call *k, int (*hand)(struct world *, const char *))
{
	return drone_named(k) != NULL ? fail_errno(k, hand(k->c->world, k->word[1])) : -ENOENT;
}

static int
run_plug(struct call *k)
{
	return run_hand(k, world_plug);
}

static int
run_unplug(struct call *k)
{
	return run_hand(k, world_unplug);
}

static int
run_button(struct call *k)
{
	return run_hand(k, world_button_entry);
}

static int
run_power_cycle(struct call *k)
{
	return run_hand(k, world_power_cycle);
}

static int
run_glitch(struct call *k)
{
	uint32_t ms;
	int r = number(k, k->word[2], &ms);

	if (r == 0 && drone_named(k) == NULL)
		r = -ENOENT;
	return r < 0 ? r : fail_errno(k, world_glitch(k->c->world, k->word[1], ms));
}

static int
run_move(struct call *k)
{
	return fail_errno(k, world_move(k->c->world, k->word[1], k->word[2]));
}

/* ---- flash ---- */

static int
load_file(struct call *k, struct drone *d, const char *path, uint32_t addr)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[65536];
	size_t n, total = 0;
	int r = 0;

	if (f == NULL)
		return fail_errno(k, -errno);
	while (r == 0 && (n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		total += n;
		r = total > FILE_BYTES_MAX ? -EFBIG : drone_load(d, addr, chunk, n);
		addr += (uint32_t)n;
	}
	if (r == 0 && ferror(f))
		r = -EIO;
	(void)fclose(f);
	return fail_errno(k, r);
}

static int
run_load(struct call *k)
{
	struct drone *d = drone_named(k);
	uint32_t addr;
	int r = number(k, k->word[3], &addr);

	if (d == NULL || r < 0)
		return -EINVAL;
	return load_file(k, d, k->word[2], addr);
}

static int
run_blank(struct call *k)
{
	struct drone *d = drone_named(k);
	const struct chip_memory *m;
	uint32_t addr, length;

	if (d == NULL || number(k, k->word[2], &addr) < 0 || number(k, k->word[3], &length) < 0)
		return -EINVAL;
	m = chip_memory_at(chip_of(drone_config(d)->model), addr);
	if (m == NULL || length > m->size - (addr - m->base))
		return fail(k, "outside the memories");
	drone_blank(d, addr, length);
	return 0;
}

static int
dump_file(struct call *k, struct drone *d, uint32_t addr, uint32_t length)
{
	FILE *f = fopen(k->word[2], "we");
	uint8_t chunk[16384];
	int r = 0;

	if (f == NULL)
		return fail_errno(k, -errno);
	while (length > 0 && r == 0) {
		uint32_t n = length < sizeof(chunk) ? length : (uint32_t)sizeof(chunk);

		drone_peek(d, world_now_us(k->c->world), addr, chunk, n);
		r = fwrite(chunk, 1, n, f) == n ? 0 : -EIO;
		addr += n;
		length -= n;
	}
	if (fclose(f) != 0 && r == 0)
		r = -errno;
	return fail_errno(k, r);
}

static int
run_dump(struct call *k)
{
	struct drone *d = drone_named(k);
	const struct chip_memory *m;
	uint32_t addr, length;

	if (d == NULL)
		return -ENOENT;
	m = &chip_of(drone_config(d)->model)->memory[0];
	addr = m->base;
	length = m->size;
	if (k->count == 4)
		return fail(k, "an address wants a length");
	if (k->count > 4 &&
	    (number(k, k->word[3], &addr) < 0 || number(k, k->word[4], &length) < 0))
		return -EINVAL;
	if (length > FILE_BYTES_MAX)
		return fail(k, "more than 16 MiB");
	return dump_file(k, d, addr, length);
}

/* ---- decks ---- */

static int
run_decks(struct call *k)
{
	static const char *const states[] = { "absent", "runs", "in-loader", "dead" };
	struct drone *d = drone_named(k);
	uint64_t now = world_now_us(k->c->world);

	for (unsigned i = 0; d != NULL && i < DRONE_DECKS_MAX; i++)
		if (drone_config(d)->deck[i] != DRONE_DECK_NONE)
			(void)fprintf(k->out, "%s %s\n",
				      drone_deck_word((enum drone_deck)drone_config(d)->deck[i]),
				      states[drone_deck_state(d, now, i)]);
	return d != NULL ? 0 : -ENOENT;
}

static int
run_radio(struct call *k)
{
	static const char *const rates[] = { "250K", "1M", "2M" };
	struct drone *d = drone_named(k);
	uint8_t channel, rate;
	uint64_t address;

	if (d == NULL)
		return -ENOENT;
	drone_radio(d, &channel, &rate, &address);
	(void)fprintf(k->out, "%u %s %010" PRIX64 "\n", channel, rate < 3 ? rates[rate] : "?",
		      address);
	return 0;
}

static int
run_bitstream(struct call *k)
{
	static uint8_t data[FILE_BYTES_MAX / 16];
	uint32_t crc = BITSTREAM_CRC, length = BITSTREAM_BYTES;
	FILE *f;
	int r = 0;

	if (k->count == 3 || (k->count > 3 && (number(k, k->word[2], &crc) < 0 ||
					       number(k, k->word[3], &length) < 0)))
		return k->count == 3 ? fail(k, "a CRC wants a length") : -EINVAL;
	if (length < 4 || length > sizeof(data))
		return fail(k, "no such length");
	bitstream_make(crc, data, length);
	f = fopen(k->word[1], "we");
	if (f == NULL)
		return fail_errno(k, -errno);
	if (fwrite(data, 1, length, f) != length)
		r = -EIO;
	if (fclose(f) != 0 && r == 0)
		r = -errno;
	return fail_errno(k, r);
}

/* ---- fates, figures ---- */

static int
run_fate(struct call *k)
{
	char text[256] = "";
	struct fate f;
	size_t n = 0;

	if (drone_named(k) == NULL)
		return -ENOENT;
	for (int i = 2; i < k->count; i++) {
		int r = snprintf(text + n, sizeof(text) - n, "%s%s", i > 2 ? " " : "", k->word[i]);

		if (r < 0 || (size_t)r >= sizeof(text) - n)
			return fail(k, "too long");
		n += (size_t)r;
	}
	if (fate_parse(text, &f, k->error, sizeof(k->error)) < 0)
		return -EINVAL;
	return fail_errno(k, world_arm(k->c->world, k->word[1], &f));
}

static int
run_fates(struct call *k)
{
	for (unsigned i = 1; i < FATE_COUNT; i++)
		(void)fprintf(k->out, "%s\n", fate_name((enum fate_kind)i));
	return 0;
}

static int
run_mend(struct call *k)
{
	struct drone *d = drone_named(k);

	if (d == NULL)
		return -ENOENT;
	drone_disarm(d);
	return 0;
}

static int
run_counters(struct call *k)
{
	struct drone *d = drone_named(k);

	if (d == NULL)
		return -ENOENT;
	counters_print(drone_counters(d), k->out);
	return 0;
}

static int
run_reset_counters(struct call *k)
{
	struct drone *d = drone_named(k);

	if (d == NULL)
		return -ENOENT;
	drone_counters_reset(d);
	return 0;
}

static int
run_floor(struct call *k)
{
	struct drone *d = drone_named(k);
	struct drone_segment image;
	struct drone_floor f;
	uint32_t unit = 1;

	if (d == NULL || number(k, k->word[2], &image.length) < 0 ||
	    (k->count > 3 && number(k, k->word[3], &unit) < 0))
		return -EINVAL;
	image.addr = drone_config(d)->application_addr;
	drone_floor(drone_config(d), &image, 1, unit, &f);
	(void)fprintf(k->out,
		      "{\"erase_us\":%" PRIu64 ",\"program_us\":%" PRIu64 ",\"send_us\":%" PRIu64
		      ",\"read_us\":%" PRIu64 "}\n",
		      f.erase_us, f.program_us, f.send_us, f.read_us);
	return 0;
}

static int
run_list(struct call *k)
{
	static const char *const modes[] = { "absent", "runtime", "dfu" };
	struct world *w = k->c->world;
	const char *port;

	for (size_t i = 0; (port = world_port(w, i)) != NULL; i++) {
		struct drone *d = world_drone(w, port);
		char serial[32];

		if (d == NULL)
			continue;
		drone_serial_runtime(drone_config(d)->uid, serial);
		(void)fprintf(k->out, "%s %s %s %s\n", port, modes[drone_personality(d)], serial,
			      drone_version(d, world_now_us(w)));
	}
	return 0;
}

static int
run_settle(struct call *k)
{
	uint32_t seconds = 1;

	if (k->count > 1 && number(k, k->word[1], &seconds) < 0)
		return -EINVAL;
	k->c->settle_s = seconds > 0 ? seconds : 1;
	return 0;
}

static int
run_quit(struct call *k)
{
	k->c->quit = true;
	return 0;
}

static int run_help(struct call *k);
static int run_rack(struct call *k);

static const struct {
	const char *name, *args;
	int min, max; /* words behind the name */
	int (*run)(struct call *k);
} commands[] = {
	{ "add", "PORT [KEY=VALUE]...", 1, WORDS_MAX, run_add },
	{ "load", "PORT FILE ADDRESS", 3, 3, run_load },
	{ "blank", "PORT ADDRESS LENGTH", 3, 3, run_blank },
	{ "dump", "PORT FILE [ADDRESS LENGTH]", 2, 4, run_dump },
	{ "plug", "PORT", 1, 1, run_plug },
	{ "unplug", "PORT", 1, 1, run_unplug },
	{ "button", "PORT", 1, 1, run_button },
	{ "power-cycle", "PORT", 1, 1, run_power_cycle },
	{ "glitch", "PORT BACK-MS", 2, 2, run_glitch },
	{ "move", "PORT TO", 2, 2, run_move },
	{ "rack", "FILE [IMAGE]", 1, 2, run_rack },
	{ "decks", "PORT", 1, 1, run_decks },
	{ "radio", "PORT", 1, 1, run_radio },
	{ "bitstream", "FILE [CRC LENGTH]", 1, 3, run_bitstream },
	{ "set", "PORT KEY=VALUE", 2, 2, run_set },
	{ "fate", "PORT NAME [KEY=VALUE]...", 2, 8, run_fate },
	{ "fates", "", 0, 0, run_fates },
	{ "mend", "PORT", 1, 1, run_mend },
	{ "counters", "PORT", 1, 1, run_counters },
	{ "reset-counters", "PORT", 1, 1, run_reset_counters },
	{ "floor", "PORT SIZE [UNIT]", 2, 3, run_floor },
	{ "list", "", 0, 0, run_list },
	{ "settle", "[SECONDS]", 0, 1, run_settle },
	{ "help", "", 0, 0, run_help },
	{ "quit", "", 0, 0, run_quit },
};

static int
run_help(struct call *k)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(k->out, "%s %s\n", commands[i].name, commands[i].args);
	return 0;
}

static int
dispatch(struct call *k)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, k->word[0]) != 0)
			continue;
		if (k->count - 1 < commands[i].min || k->count - 1 > commands[i].max) {
			(void)snprintf(k->error, sizeof(k->error), "%s %s", commands[i].name,
				       commands[i].args);
			return -EINVAL;
		}
		return commands[i].run(k);
	}
	return fail(k, "no such command; \"help\" lists them");
}

/* 0, also for a line that says nothing. */
static int
run_line(struct call *k, char *line)
{
	char *save = NULL;

	for (char *w = strtok_r(line, " \t\r\n", &save); w != NULL && k->count < WORDS_MAX;
	     w = strtok_r(NULL, " \t\r\n", &save))
		k->word[k->count++] = w;
	return k->count > 0 && k->word[0][0] != '#' ? dispatch(k) : 0;
}

static int
run_rack(struct call *k)
{
	struct world *w = k->c->world;
	char line[COMMAND_BYTES_MAX];
	size_t known = 0;
	const char *port;
	FILE *f;
	int r = 0;

	if (k->of_a_rack)
		return fail(k, "a rack holds no racks");
	f = fopen(k->word[1], "re");
	if (f == NULL)
		return fail_errno(k, -errno);
	while (world_port(w, known) != NULL)
		known++;
	while (r == 0 && fgets(line, sizeof(line), f) != NULL) {
		struct call of_it = { .c = k->c, .out = k->out, .of_a_rack = true };

		r = run_line(&of_it, line);
		copy_text(k->error, sizeof(k->error), of_it.error);
	}
	(void)fclose(f);
	for (; r == 0 && k->count > 2 && (port = world_port(w, known)) != NULL; known++)
		r = load_file(k, world_drone(w, port), k->word[2],
			      drone_config(world_drone(w, port))->application_addr);
	return r;
}

void
commander_run(struct commander *c, char *line, FILE *out)
{
	struct call k = { .c = c, .out = out };

	c->settle_s = 0;
	if (run_line(&k, line) < 0)
		(void)fprintf(out, "error: %s\n", k.error);
	else if (c->settle_s == 0)
		(void)fputs("ok\n", out);
}
