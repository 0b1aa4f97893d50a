/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/console.h"

#include "cfdfu/util.h"

/* ---- lines of meaning ----------------------------------------------------------------------- */

static void
copy_part(char *dst, size_t size, const char *src, size_t length)
{
	(void)snprintf(dst, size, "%.*s", (int)length, src);
}

static void
on_passed(struct condition *c, const char *line, const char *rest)
{
	(void)line;
	(void)rest;
	c->selftest = SELFTEST_PASS;
}

/* "2025.12 (CF21)", "2025.12 +3* (CF21)". */
static void
on_nrf(struct condition *c, const char *line, const char *rest)
{
	const char *board = strstr(rest, " (");

	(void)line;
	/* WHY the board's name: a line that was cut has none, and its version may be cut, too. */
	if (board != NULL && board > rest && strchr(board, ')') != NULL)
		copy_part(c->nrf_version, sizeof(c->nrf_version), rest, (size_t)(board - rest));
}

/* The module is all that the line says behind its prefix: "SYS: cfAssertNormalStart [FAIL]".
 * Tests within a module end in a full stop, or carry that module's own prefix. */
static void
on_failed(struct condition *c, const char *line, const char *rest)
{
	static const char mark[] = " [FAIL]", prefix[] = "SYS: ";
	const char *module = line;
	size_t length;

	if (*rest != '\0')
		return;
	if (strncmp(module, prefix, sizeof(prefix) - 1) == 0)
		module += sizeof(prefix) - 1;
	length = (size_t)(rest - module) - (sizeof(mark) - 1);
	if (length == 0 || strchr(module, ':') != NULL)
		return;
	c->selftest = SELFTEST_FAIL;
	if (c->failed_module[0] == '\0') /* the first is the cause, or as good as any */
		copy_part(c->failed_module, sizeof(c->failed_module), module, length);
}

static void
on_resumed(struct condition *c, const char *line, const char *rest)
{
	(void)line;
	(void)rest;
	if (c->crash[0] == '\0')
		copy_text(c->crash, sizeof(c->crash), "a failed assert"); /* which one follows */
}

static void
on_assert(struct condition *c, const char *line, const char *rest)
{
	(void)line;
	if (*rest != '\0')
		copy_text(c->crash, sizeof(c->crash), rest);
}

static int
hex_digits(const char *text)
{
	return (int)strspn(text, "0123456789ABCDEFabcdef");
}

/* Eight registers do not fit; these two tell the place. */
static void
on_hardfault(struct condition *c, const char *line, const char *rest)
{
	const char *pc = strstr(rest, " pc: "), *lr = strstr(rest, " lr: ");

	(void)line;
	if (pc == NULL || lr == NULL) {
		copy_text(c->crash, sizeof(c->crash), "Hardfault");
		return;
	}
	pc += strlen(" pc: ");
	lr += strlen(" lr: ");
	(void)snprintf(c->crash, sizeof(c->crash), "Hardfault, pc %.*s, lr %.*s", hex_digits(pc),
		       pc, hex_digits(lr), lr);
}

static const struct {
	const char *text; /* anywhere in the line */
	void (*take)(struct condition *c, const char *line, const char *rest);
} meanings[] = {
	{ "Self test passed!", on_passed }, { "NRF51 version: ", on_nrf },
	{ " [FAIL]", on_failed },	    { "resumed after a failed assert", on_resumed },
	{ "Assert failed at ", on_assert }, { "Assert failed: ", on_assert },
	{ "Hardfault.", on_hardfault },
};

/* ---- pieces --------------------------------------------------------------------------------- */

static void
end_line(struct console *k, struct condition *c)
{
	char line[CONSOLE_LINE_MAX + 1];

	memcpy(line, k->line, k->length);
	line[k->length] = '\0';
	k->length = 0;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		const char *at = strstr(line, meanings[i].text);

		if (at != NULL)
			meanings[i].take(c, line, at + strlen(meanings[i].text));
	}
}

void
console_take(struct console *k, const uint8_t *text, size_t length, struct condition *c)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			end_line(k, c);
		else if (text[i] >= 0x20 && text[i] < 0x7F && k->length < sizeof(k->line))
			k->line[k->length++] = (char)text[i];
	}
}
