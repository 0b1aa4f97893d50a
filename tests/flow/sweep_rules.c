/* SPDX-License-Identifier: MIT */
/*
 * The allowed endings of each injected fault, by the step in which it strikes: doc/faults.md A9,
 * tables U and P, and doc/promises.md 1, promise 7.  The first rule that fits counts.
 *
 *  - One lost, late, refused or garbled answer is cured by asking again: the drone passes.
 *  - What never ends is told for what it is: silent, stuck, stalling, bus.
 *  - What leaves the bus in the middle of work is gone, and begins anew when it comes back.
 *  - What has been read back equal and then does not start needs its power cycled, or did not boot.
 *  - A foreign device in DFU mode that cannot be identified is not touched: no attempt.
 */
#include "config.h"

#include "flow/sweep.h"

#include <string.h>

#define S(x) BIT(STEP_##x)
#define E(x) BIT(END_##x)
#define ANY ~0U
#define WORK (S(COMPARING) | S(ERASING) | S(WRITING) | S(VERIFYING) | S(FIRST_PAGE))
#define LIGHT BIT(SWEEP_LIGHT)

static const struct sweep_rule rules[] = {
	/* The verdict is out: nothing changes it. */
	{ "no-leave count=2", LIGHT, E(CYCLE) },
	{ "leave-dfu", LIGHT, E(CYCLE) },
	{ "leave-nothing", LIGHT, E(NO_BOOT) | E(CYCLE) }, /* adopted: its boot pins are unknown */
	{ "no-switch count=5", LIGHT, E(NO_DFU) | E(PASS) },
	{ "switch-lost", LIGHT, E(DARK) | E(PASS) },
	{ "swap", LIGHT, E(OTHER) | E(PASS) }, /* PASS: the way in which there is no switch */
	{ "swap-back", LIGHT, E(OTHER) },
	{ "cut-strings at=1", LIGHT, E(NOTHING) | E(OTHER) }, /* not "Bitcraze AB": not touched */
	{ "cut-strings at=2", LIGHT, E(PASS) | E(OTHER) },
	{ "cut-strings at=3", LIGHT, E(PASS) | E(OTHER) },
	{ "hostile-strings at=1", LIGHT, E(NOTHING) | E(PASS) },
	{ "hostile-strings at=2", LIGHT, E(PASS) | E(STRANGE) },
	/* NOTHING: foreign; a failed attempt would make it ours. */
	{ "open-busy count=40", LIGHT, E(HOST) | E(NOTHING) },
	{ "open-access count=40", LIGHT, E(HOST) | E(NOTHING) },
	{ NULL, LIGHT, E(PASS) },

	/* For ever, or as good as. */
	/* PASS: twice a request was refused, and once the question whether it is still there. */
	{ "stall count=3", S(REBOOTING), E(NO_DFU) | E(PASS) },
	{ "stall count=3", S(PROBING), E(PASS) | E(NOTHING) },
	{ "stall count=40", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "stall count=40", S(REBOOTING), E(NO_DFU) },
	{ "stall count=40", S(PROBING), E(STALL) | E(NOTHING) },
	{ "stall count=40", WORK, E(STALL) },
	{ "stall count=40", S(LEAVING), E(STALL) | E(CYCLE) },
	{ "stall count=40", S(CONFIRMING), E(SILENT) | E(PASS) }, /* PASS: it has said enough */
	{ "eproto count=40", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "eproto count=40", S(REBOOTING), E(NO_DFU) },
	{ "eproto count=40", S(PROBING), E(BUS) | E(NOTHING) },
	{ "eproto count=40", WORK, E(BUS) },
	{ "eproto count=40", S(LEAVING), E(BUS) | E(CYCLE) },
	{ "eproto count=40", S(CONFIRMING), E(SILENT) | E(PASS) },
	{ "no-answer count=40", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "no-answer count=40", S(REBOOTING), E(NO_DFU) },
	{ "no-answer count=40", S(PROBING), E(SILENT) | E(NOTHING) },
	{ "no-answer count=40", WORK, E(SILENT) },
	{ "no-answer count=40", S(LEAVING), E(SILENT) | E(CYCLE) },
	{ "no-answer count=40", S(CONFIRMING), E(SILENT) | E(PASS) },
	{ "silent", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "silent", S(REBOOTING), E(NO_DFU) },
	{ "silent", S(PROBING), E(SILENT) | E(NOTHING) },
	{ "silent", WORK, E(SILENT) },
	{ "silent", S(LEAVING), E(SILENT) | E(CYCLE) },
	{ "silent", S(CONFIRMING), E(SILENT) | E(PASS) },
	{ "overflow count=40", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "overflow count=40", S(REBOOTING), E(NO_DFU) },
	{ "overflow count=40", S(PROBING), E(ODD) | E(BUS) | E(NOTHING) },
	{ "overflow count=40", WORK, E(ODD) },
	{ "overflow count=40", S(LEAVING), E(ODD) | E(BUS) | E(CYCLE) },
	{ "overflow count=40", S(CONFIRMING), E(SILENT) | E(PASS) },
	{ "status value=14 count=40", S(ASKING), E(SILENT) | E(NO_DFU) },
	{ "status value=14 count=40", S(REBOOTING), E(NO_DFU) },
	{ "status value=14 count=40", S(PROBING), E(REFUSED) | E(STALL) | E(ODD) | E(NOTHING) },
	{ "status value=14 count=40", WORK, E(REFUSED) },
	{ "status value=14 count=40", S(LEAVING), E(CYCLE) },
	{ "status value=14 count=40", S(CONFIRMING), E(SILENT) | E(PASS) },
	{ "busy-forever", S(PROBING), E(PASS) | E(SILENT) | E(NOTHING) },
	{ "busy-forever", S(COMPARING) | S(ERASING) | S(WRITING), E(SILENT) },
	{ "busy-forever", S(VERIFYING) | S(FIRST_PAGE),
	  E(SILENT) | E(PASS) }, /* PASS: was not busy */
	/* H9: each answer just in time; the attempt's own deadline ends it, or it ends before. */
	{ "slow value=5", S(ASKING) | S(REBOOTING), E(STUCK) },
	{ "slow value=5", S(PROBING) | S(COMPARING) | S(ERASING), E(STUCK) | E(PASS) },
	{ "flip-write value=5 count=400", S(FIRST_PAGE), E(VERIFY) | E(PASS) },
	{ "flip-write value=5 count=400", S(LEAVING) | S(CONFIRMING), E(PASS) },
	{ "flip-write value=5 count=400", ANY, E(VERIFY) },
	{ "flip-read value=5 count=400", S(ASKING) | S(REBOOTING), E(ODD) },
	{ "flip-read value=5 count=400", S(PROBING), E(ODD) | E(STRANGE) | E(NOTHING) },
	{ "flip-read value=5 count=400", WORK, E(ODD) | E(STRANGE) },
	{ "flip-read value=5 count=400", S(LEAVING), E(SILENT) },
	{ "flip-read value=5 count=400", S(CONFIRMING), E(SILENT) | E(PASS) },

	/* Off the bus. */
	{ "disconnect", S(ASKING), E(NOTHING) },
	{ "disconnect", S(REBOOTING), E(DARK) },
	{ "disconnect", S(PROBING), E(GONE) | E(NOTHING) },
	{ "disconnect", S(LEAVING), E(NO_BOOT) | E(CYCLE) | E(GONE) },
	{ "disconnect", ANY, E(GONE) },
	{ "disconnect back=800", S(ASKING) | S(REBOOTING), E(PASS) },
	{ "disconnect back=800", S(PROBING), E(GONE) | E(PASS) },
	{ "disconnect back=800", S(LEAVING), E(CYCLE) | E(GONE) },
	/* CONFIRMING: at its first question; it is asked again (doc/beyond-dfu.md 11.1). */
	{ "disconnect back=800", S(CONFIRMING), E(GONE) | E(PASS) },
	{ "disconnect back=800", ANY, E(GONE) },
	{ "power-loss", S(ASKING), E(NOTHING) },
	{ "power-loss", S(REBOOTING), E(DARK) },
	{ "power-loss", S(PROBING), E(GONE) | E(NOTHING) },
	{ "power-loss", S(LEAVING), E(NO_BOOT) | E(CYCLE) | E(GONE) },
	{ "power-loss", ANY, E(GONE) },
	{ "power-loss back=800", S(ASKING) | S(REBOOTING) | S(LEAVING), E(PASS) },
	{ "power-loss back=800", S(PROBING), E(GONE) | E(PASS) | E(NOTHING) },
	{ "power-loss back=800", S(CONFIRMING), E(GONE) | E(PASS) },
	{ "power-loss back=800", ANY, E(GONE) },
	{ "reset-runtime", S(ASKING) | S(REBOOTING) | S(LEAVING), E(PASS) },
	{ "reset-runtime", S(PROBING), E(GONE) | E(PASS) | E(NOTHING) },
	{ "reset-runtime", S(CONFIRMING), E(GONE) | E(PASS) },
	{ "reset-runtime", ANY, E(GONE) },
	{ "assert", S(CONFIRMING), E(GONE) | E(PASS) },
	{ "assert", ANY, E(PASS) },	    /* the bytes are right; the drone is not */
	{ "swap-now", S(ASKING), E(PASS) }, /* nothing was begun with the first one */
	{ "swap-now", S(REBOOTING), E(OTHER) },
	{ "swap-now", S(PROBING), E(GONE) | E(PASS) },
	{ "swap-now", S(LEAVING) | S(CONFIRMING), E(OTHER) | E(GONE) },
	{ "swap-now", ANY, E(GONE) },

	/* A word that is final (doc/protocol.md 3.3): wrong address, protected. */
	{ "status value=1", S(PROBING),
	  E(PASS) | E(REFUSED) | E(NOTHING) }, /* OTP may be refused */
	{ "status value=1", WORK, E(REFUSED) },
	{ "status value=1", S(LEAVING), E(CYCLE) },
	{ "status value=11", S(PROBING), E(PASS) | E(REFUSED) | E(NOTHING) },
	{ "status value=11", WORK, E(REFUSED) },
	{ "status value=11", S(LEAVING), E(CYCLE) },
	{ "status value=3", S(LEAVING), E(PASS) | E(CYCLE) },
	{ "wrong-state value=10", S(LEAVING), E(PASS) | E(CYCLE) },

	/* Identification garbled once: no guess is made. */
	{ "wrong-state value=2", S(PROBING), E(PASS) | E(NOTHING) },
	{ "wrong-state value=99", S(PROBING), E(PASS) | E(NOTHING) },
	{ "garbage", S(PROBING), E(PASS) | E(STRANGE) | E(NOTHING) },
	{ "short", S(PROBING), E(PASS) | E(STRANGE) | E(NOTHING) },
	{ "short value=0", S(PROBING), E(PASS) | E(STRANGE) | E(NOTHING) },
	{ "flip-read value=5", S(PROBING), E(PASS) | E(STRANGE) | E(NOTHING) },
	{ "flip-read value=9", S(PROBING), E(PASS) | E(STRANGE) | E(NOTHING) },

	/* All the rest is cured. */
	{ NULL, ANY, E(PASS) },
};

uint32_t
sweep_ends(const char *fate, enum step step)
{
	size_t i = 0;

	while ((rules[i].steps & BIT(step)) == 0 ||
	       (rules[i].fate != NULL && strcmp(rules[i].fate, fate) != 0))
		i++; /* INVARIANT: the last rule fits everything */
	return rules[i].ends;
}

uint32_t
sweep_last_straw(const char *fate)
{
	static const struct {
		const char *fate;
		uint32_t ends;
	} straws[] = {
		{ "stall", E(STALL) },
		{ "eproto", E(BUS) },
		{ "lost-ack", E(BUS) },
		{ "overflow", E(ODD) },
		{ "short", E(ODD) },
		{ "garbage", E(ODD) },
		{ "flip-read", E(ODD) },
		{ "status", E(REFUSED) | E(STALL) },
		{ "wrong-state", E(ODD) | E(REFUSED) | E(STALL) },
		{ "no-answer", E(SILENT) },
		{ "late", E(SILENT) },
	};

	for (size_t i = 0; i < ARRAY_LEN(straws); i++)
		if (strncmp(fate, straws[i].fate, strlen(straws[i].fate)) == 0)
			return straws[i].ends;
	return 0;
}

const char *
sweep_end_name(enum sweep_end end)
{
	static const char *const names[SWEEP_END_COUNT] = {
		[END_NOTHING] = "no attempt", [END_PASS] = "pass",
		[END_CYCLE] = "power-cycle",  [END_BUTTON] = "button",
		[END_GONE] = "gone",	      [END_SILENT] = "silent",
		[END_STUCK] = "stuck",	      [END_STALL] = "stall",
		[END_REFUSED] = "refused",    [END_ODD] = "odd",
		[END_VERIFY] = "verify",      [END_STRANGE] = "strange",
		[END_NO_DFU] = "no-dfu",      [END_DARK] = "dark",
		[END_NO_BOOT] = "no-boot",    [END_OTHER] = "other drone",
		[END_VERSION] = "version",    [END_BUS] = "bus",
		[END_HOST] = "host",	      [END_SKIPPED] = "skipped",
	};

	return (unsigned)end < SWEEP_END_COUNT ? names[end] : "?";
}
