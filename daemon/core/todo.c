/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/todo.h"

#include "core/fleet.h"
#include "core/readiness.h"

static const char new_power[] = "Remove USB and battery, then plug it in again.";
static const char button[] = "Battery off; plug it in with its button held for 5 s.";
static const char power_button[] = "Press its power button, or plug it in again.";

static const char *const faults[FAULT_COUNT] = {
	[FAULT_SILENT] = new_power,
	[FAULT_STALL] = new_power,
	[FAULT_STUCK] = new_power,
	[FAULT_PROTOCOL] = "Close other DFU programs, then plug it in again.",
	[FAULT_REFUSED] = new_power,
	[FAULT_VERIFY] = "Try another port; set it aside if it fails there too.",
	[FAULT_PROTECTED] = "Set it aside: its flash is protected.",
	[FAULT_WRONG_CHIP] = "Unplug it: its memory is not a Crazyflie's.",
	[FAULT_DESCRIPTOR] = "Try another cable and port.",
	[FAULT_LOADER_BLANK] = "Set it aside: its boot loader has to be restored.",
	[FAULT_NO_DFU] = new_power,
	[FAULT_NO_BOOT] = new_power,
	[FAULT_WRONG_VERSION] = "Plug it in again and retry; do not fly it.",
	[FAULT_WRONG_SERIAL] = "Plug the first drone in here again.",
	[FAULT_NO_LEAVE] = new_power,
	[FAULT_TOO_OLD] = button,
	[FAULT_DEADLINE] = "Try another port and cable.",
	[FAULT_DARK] = power_button,
	[FAULT_GONE] = "Check its cable; plug it in here again.",
	[FAULT_BUS] = "Change the cable, then try another port.",
	[FAULT_FLAP] = "Change the cable, then release the slot.",
	[FAULT_PLATFORM] = "Select the firmware for its platform.",
	[FAULT_PLATFORM_UNKNOWN] = "Say what platform it is, then retry.",
	[FAULT_IMAGE] = "Select firmware that fits it.",
	[FAULT_OPEN] = "Plug it in again.",
	[FAULT_PERMISSION] = "Install the udev rule, then plug it in again.",
	[FAULT_BUSY] = "Close the program that holds it, then retry.",
	[FAULT_NO_MEMORY] = "Free the computer's memory, then retry.",
	[FAULT_STORAGE] = "Make room on the station's disk, then retry.",
	[FAULT_SUSPEND] = "Keep the computer awake, then retry.",
	[FAULT_QUARANTINED] = "Find the cause, then release the slot.",
	[FAULT_STOPPED] = "Leave it; start the service again.",
	[FAULT_IMAGE_QUARANTINED] = "Select another firmware, or release this one.",
};

static const char *const rests[REST_COUNT] = {
	[REST_SELF_TEST] = "Set it aside for repair: its self-test failed.",
	[REST_POWER_CYCLE] = "Unplug it, then switch it off and on.",
	[REST_DECK] = "Update its deck, or check how it is mounted.",
	[REST_NRF51] = "Update its nRF51 by radio (cfclient).",
	[REST_ADDRESS] = "Give it a radio address of its own.",
	[REST_BATTERY] = "Charge it.",
};

static const char *
of_rest(const struct slot_view *v)
{
	const struct readiness *r = v->readiness;

	if (r->under_way || v->platform == PLATFORM_OTHER)
		return NULL;
	/* WHY: a crash fails the self-test, and new power cures it. */
	if ((r->rests & BIT(REST_POWER_CYCLE)) != 0)
		return v->condition->power_cycle == POWER_CYCLE_LOST ? power_button
								     : rests[REST_POWER_CYCLE];
	for (enum rest i = 0; i < REST_COUNT; i++)
		if ((r->rests & BIT(i)) != 0)
			return rests[i];
	return NULL;
}

/* Half an image does not start: a drone that was pulled then comes back by its button only. */
static bool
is_dead_in_hand(const struct slot_view *v)
{
	return !v->present && v->verdict.step >= STEP_ERASING && v->verdict.step <= STEP_FIRST_PAGE;
}

static const char *
of_ending(const struct slot_view *v)
{
	switch (v->verdict.kind) {
	case VERDICT_NEEDS_BUTTON:
		return button;
	case VERDICT_NEEDS_POWER_CYCLE:
		return new_power;
	case VERDICT_FAIL:
	case VERDICT_SKIPPED:
	case VERDICT_INTERRUPTED:
		if (is_dead_in_hand(v))
			return button;
		if (faults[v->verdict.fault] != NULL)
			return faults[v->verdict.fault];
		return v->verdict.kind == VERDICT_FAIL		? "Plug it in again."
		       : v->verdict.kind == VERDICT_INTERRUPTED ? "Leave it plugged in."
								: NULL;
	case VERDICT_PASS:
	case VERDICT_UNCHANGED:
		return v->present ? of_rest(v) : NULL;
	case VERDICT_NONE:
	case VERDICT_COUNT:
		break;
	}
	return NULL;
}

/* WHY: another board has neither that button nor that battery. */
static const char *
by_platform(const struct slot_view *v, const char *todo)
{
	bool bodily = todo == new_power || todo == button || todo == power_button;

	return v->platform == PLATFORM_OTHER && bodily
		   ? "Take its power away, then put it in DFU mode again."
		   : todo;
}

const char *
todo_of(const struct slot_view *v)
{
	if (v->class == SLOT_CLASS_ACTIVE || v->class == SLOT_CLASS_WAITING ||
	    v->class == SLOT_CLASS_FOREIGN)
		return NULL;
	if (v->class == SLOT_CLASS_QUARANTINED)
		return faults[FAULT_QUARANTINED];
	if (v->class == SLOT_CLASS_UNSERVED)
		return faults[FAULT_PLATFORM];
	return by_platform(v, of_ending(v));
}
