/* SPDX-License-Identifier: MIT */
/*
 * Names and sentences for every ending: what happened, what to do now.  Read by someone who stands
 * at a rack of drones, so the words say what to do with hands.
 */
#include "config.h"

#include "core/outcome.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"

/* SPEC: "DFU update of the STM32F405" in Bitcraze's firmware documentation, in its words. */
#define BUTTON_STEPS                                                                               \
	"disconnect the battery and the USB cable, hold down the push button (on/off) "            \
	"while inserting the USB cable, keep holding it for about 5 seconds until the "            \
	"blue LED reaches its second, slower blink rate (1 Hz), then release it"
#define RELEASE_SLOT "then release the slot with 'cfdfuctl port release SLOT'"

static const struct {
	const char *name, *sentence, *advice;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_NONE] = { NULL, "The drone is being worked on.", "Do not unplug it." },
	[VERDICT_PASS] = { "pass", "Flashed, read back equal, and running the new firmware.",
			   "It is safe to unplug after its check-up." },
	[VERDICT_UNCHANGED] = { "unchanged",
				"The drone already holds this firmware; nothing was written.",
				"It is safe to unplug after its check-up." },
	[VERDICT_NEEDS_POWER_CYCLE] = { "needs-power-cycle",
					"The firmware is written and read back equal, but the "
					"drone did not restart by itself.",
					"Remove USB and, if there is one, the battery, then plug "
					"it in again." },
	[VERDICT_NEEDS_BUTTON] = { "needs-button", "The drone has to be put into DFU mode by hand.",
				   "Put it into DFU mode: " BUTTON_STEPS "." },
	[VERDICT_FAIL] = { "fail", "The drone could not be flashed.",
			   "Unplug it, plug it in again, and set it aside if it fails again." },
	[VERDICT_SKIPPED] = { "skipped", "The drone was left as it is; nothing was written.",
			      "It is safe to unplug." },
	[VERDICT_INTERRUPTED] = { "interrupted",
				  "The station stopped before the drone was finished.",
				  "Leave it plugged in: it is taken up again when the station "
				  "runs." },
};

static const char *const steps[STEP_COUNT] = {
	[STEP_ASKING] = "asking",	  [STEP_REBOOTING] = "rebooting",
	[STEP_PROBING] = "probing",	  [STEP_COMPARING] = "comparing",
	[STEP_ERASING] = "erasing",	  [STEP_WRITING] = "writing",
	[STEP_VERIFYING] = "verifying",	  [STEP_FIRST_PAGE] = "first-page",
	[STEP_LEAVING] = "leaving",	  [STEP_BOOTING] = "booting",
	[STEP_CONFIRMING] = "confirming", [STEP_BACKING_UP] = "backing-up",
	[STEP_CHECKING] = "checking",	  [STEP_CYCLING] = "power-cycling",
};

static const char *const classes[CLASS_COUNT] = {
	[CLASS_DEVICE] = "device", [CLASS_IMAGE] = "image",	  [CLASS_PORT] = "port",
	[CLASS_HOST] = "host",	   [CLASS_OPERATOR] = "operator",
};

static const struct {
	const char *name;
	enum fault_class class;
	const char *sentence, *advice;
} faults[FAULT_COUNT] = {
	[FAULT_NONE] = { NULL, CLASS_NONE, "Nothing went wrong.", "Nothing to do." },
	[FAULT_SILENT] = { "silent", CLASS_DEVICE, "The drone stopped answering.",
			   "Unplug it, remove the battery, and plug it in again." },
	[FAULT_STALL] = { "stall", CLASS_DEVICE, "The drone kept refusing a legal request.",
			  "Unplug it, remove the battery, and plug it in again." },
	[FAULT_STUCK] = { "stuck", CLASS_DEVICE,
			  "The drone stayed busy longer than its flash can take.",
			  "Unplug it, remove the battery, and plug it in again; if it comes back, "
			  "its flash may be worn out." },
	[FAULT_PROTOCOL] = { "protocol", CLASS_DEVICE,
			     "The drone gave an answer that DFU does not allow here.",
			     "Close other programs that use DFU devices (dfu-util, fwupd), then "
			     "unplug it and plug it in again." },
	[FAULT_REFUSED] = { "refused", CLASS_DEVICE, "The drone reported an error.",
			    "Unplug it, remove the battery, and plug it in again; set it aside if "
			    "it says so twice." },
	[FAULT_VERIFY] = { "verify", CLASS_DEVICE, "What was read back is not what was written.",
			   "Try it once more on another port; if it fails there too, its flash is "
			   "damaged: set it aside." },
	[FAULT_PROTECTED] = { "protected", CLASS_DEVICE,
			      "The drone's flash is protected against reading or writing.",
			      "Set it aside: this station does not change option bytes, and "
			      "removing a read protection erases the whole chip, boot loader "
			      "included." },
	[FAULT_WRONG_CHIP] = { "wrong-chip", CLASS_DEVICE,
			       "The device's memory is not that of a Crazyflie.",
			       "Unplug it if it is not a drone of this rack; nothing was "
			       "written." },
	[FAULT_DESCRIPTOR] = { "descriptor", CLASS_DEVICE,
			       "The device describes itself in a way that makes no sense.",
			       "Try another cable and port; if it stays, this is not a drone that "
			       "can be flashed here." },
	[FAULT_LOADER_BLANK] = { "loader-blank", CLASS_DEVICE, "The drone's boot loader is erased.",
				 "Restore cf2loader first; firmware alone would not start." },
	[FAULT_NO_DFU] = { "no-dfu", CLASS_DEVICE,
			   "The drone was asked to reboot and did not appear in DFU mode.",
			   "Unplug it, remove the battery, and plug it in again; if that does not "
			   "help: " BUTTON_STEPS "." },
	[FAULT_NO_BOOT] = { "no-boot", CLASS_DEVICE,
			    "The drone left DFU mode and did not come back.",
			    "Remove USB and, if there is one, the battery, and plug it in again; "
			    "if it stays dark, put it into DFU mode: " BUTTON_STEPS "." },
	[FAULT_WRONG_VERSION] = { "wrong-version", CLASS_DEVICE,
				  "The drone came back and reports another version than its "
				  "firmware carries.",
				  "Unplug it, plug it in again and retry; do not fly it before it "
				  "passes." },
	[FAULT_WRONG_SERIAL] = { "wrong-serial", CLASS_DEVICE,
				 "Another drone appeared than the one that was on this port.",
				 "Plug the first drone in again, and leave drones where they are "
				 "until they are done." },
	[FAULT_NO_LEAVE] = { "no-leave", CLASS_DEVICE, "The drone would not leave DFU mode.",
			     "Remove USB and, if there is one, the battery, then plug it in "
			     "again." },
	[FAULT_TOO_OLD] = { "too-old", CLASS_DEVICE,
			    "The drone accepts the request to reboot into DFU mode and stays as it "
			    "is, as firmware older than 2022.03 does.",
			    "Put it into DFU mode: " BUTTON_STEPS "." },
	[FAULT_DEADLINE] = { "deadline", CLASS_DEVICE, "The drone took too long altogether.",
			     "Try it on another port, with another cable and fewer drones on the "
			     "same hub." },
	/* SPEC: its nRF51 samples its boot pin while that floats, in 0.5 % of resets
	 * (doc/protocol.md 2.2). */
	[FAULT_DARK] = { "dark", CLASS_DEVICE,
			 "The drone left the bus to reboot into DFU mode and did not appear "
			 "there; most likely it waits in its radio boot loader, its blue LED "
			 "blinking.",
			 "Press its power button, or unplug it and plug it in again: it is flashed "
			 "then. Nothing is wrong with it." },
	[FAULT_GONE] = { "gone", CLASS_PORT, "The drone disappeared from its port.",
			 "Check cable and hub power, and plug it in again on the same port." },
	[FAULT_BUS] = { "bus", CLASS_PORT, "The USB connection kept failing.",
			"Change the cable, then try another port; if many drones fail alike, "
			"look at the hub and its power supply." },
	[FAULT_FLAP] = { "flap", CLASS_PORT, "The drone appears and disappears again and again.",
			 "Change the cable and check the plug and the hub's power "
			 "supply, " RELEASE_SLOT "." },
	[FAULT_PLATFORM] = { "platform", CLASS_IMAGE,
			     "Firmware and drone are of different platforms.",
			     "Select the firmware for this drone's platform; nothing was "
			     "written to it." },
	[FAULT_PLATFORM_UNKNOWN] = { "platform-unknown", CLASS_IMAGE,
				     "Nothing says which platform this drone is.",
				     "Say what it is with 'cfdfuctl platform set SLOT PLATFORM', "
				     "then retry; nothing was written to it." },
	[FAULT_IMAGE] = { "image", CLASS_IMAGE, "The firmware does not fit this device.",
			  "Check the file with 'cfdfuctl firmware check FILE' and select one made "
			  "for this device." },
	[FAULT_OPEN] = { "open", CLASS_HOST, "The drone's USB device cannot be opened.",
			 "Unplug it and plug it in again; if all drones fail so, read the "
			 "station's journal." },
	[FAULT_PERMISSION] = { "permission", CLASS_HOST,
			       "The station may not open the drone's USB device.",
			       "Install the udev rule that comes with the station, run 'udevadm "
			       "control --reload', and plug the drone in again." },
	[FAULT_BUSY] = { "busy", CLASS_HOST, "Another program holds the drone.",
			 "Close it (dfu-util, the Crazyflie client, fwupd, a virtual machine), "
			 "then retry." },
	[FAULT_NO_MEMORY] = { "no-memory", CLASS_HOST,
			      "The computer had no memory left for this drone.",
			      "Close other programs or raise the service's memory limit, then "
			      "retry." },
	[FAULT_STORAGE] = { "storage", CLASS_HOST, "The record of this attempt cannot be written.",
			    "Make room on the station's disk and check that it is writable, then "
			    "retry: without a record nothing is flashed." },
	[FAULT_SUSPEND] = { "suspend", CLASS_HOST, "The computer slept during the attempt.",
			    "Keep the computer awake and retry." },
	[FAULT_QUARANTINED] = { "quarantined", CLASS_OPERATOR,
				"This port or drone is set aside after failing repeatedly.",
				"Find the cause (cable, port, drone), " RELEASE_SLOT "." },
	[FAULT_STOPPED] = { "stopped", CLASS_OPERATOR, "The service was stopped.",
			    "Leave the drone plugged in and start the service again." },
	[FAULT_IMAGE_QUARANTINED] = { "set-aside", CLASS_OPERATOR,
				      "The firmware for this drone was set aside before anything "
				      "was written.",
				      "Select another firmware, or lift that with 'cfdfuctl "
				      "firmware release NAME'; the drone is flashed then." },
};

static const char *const dfu_statuses[DFU_STATUS_COUNT] = {
	[DFU_STATUS_OK] = "OK",
	[DFU_STATUS_ERR_TARGET] = "errTARGET",
	[DFU_STATUS_ERR_FILE] = "errFILE",
	[DFU_STATUS_ERR_WRITE] = "errWRITE",
	[DFU_STATUS_ERR_ERASE] = "errERASE",
	[DFU_STATUS_ERR_CHECK_ERASED] = "errCHECK_ERASED",
	[DFU_STATUS_ERR_PROG] = "errPROG",
	[DFU_STATUS_ERR_VERIFY] = "errVERIFY",
	[DFU_STATUS_ERR_ADDRESS] = "errADDRESS",
	[DFU_STATUS_ERR_NOTDONE] = "errNOTDONE",
	[DFU_STATUS_ERR_FIRMWARE] = "errFIRMWARE",
	[DFU_STATUS_ERR_VENDOR] = "errVENDOR",
	[DFU_STATUS_ERR_USBR] = "errUSBR",
	[DFU_STATUS_ERR_POR] = "errPOR",
	[DFU_STATUS_ERR_UNKNOWN] = "errUNKNOWN",
	[DFU_STATUS_ERR_STALLEDPKT] = "errSTALLEDPKT",
};

const char *
verdict_name(enum verdict_kind v)
{
	return (unsigned)v < VERDICT_COUNT ? verdicts[v].name : NULL;
}

enum verdict_kind
verdict_by_name(const char *name)
{
	for (unsigned v = VERDICT_NONE + 1; v < VERDICT_COUNT; v++)
		if (name != NULL && strcmp(verdicts[v].name, name) == 0)
			return (enum verdict_kind)v;
	return VERDICT_NONE;
}

const char *
step_name(enum step s)
{
	return (unsigned)s < STEP_COUNT ? steps[s] : NULL;
}

enum step
step_by_name(const char *name)
{
	for (unsigned s = STEP_NONE + 1; s < STEP_COUNT; s++)
		if (name != NULL && strcmp(steps[s], name) == 0)
			return (enum step)s;
	return STEP_NONE;
}

/* The numbers have gaps: what is not in the table speaks like FAULT_NONE. */
static enum fault
known(enum fault f)
{
	return (unsigned)f < FAULT_COUNT && faults[f].name != NULL ? f : FAULT_NONE;
}

const char *
fault_name(enum fault f)
{
	return faults[known(f)].name;
}

enum fault
fault_by_name(const char *name)
{
	for (unsigned f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
		if (name != NULL && faults[f].name != NULL && strcmp(faults[f].name, name) == 0)
			return (enum fault)f;
	return FAULT_NONE;
}

const char *
fault_class_name(enum fault_class c)
{
	return (unsigned)c < CLASS_COUNT ? classes[c] : NULL;
}

enum fault_class
fault_class_of(enum fault f)
{
	return faults[known(f)].class;
}

bool
verdict_counts_against(const struct verdict *v)
{
	enum fault_class c = fault_class_of(v->fault);

	/* WHY: dice that any healthy drone throws at each reset. */
	if (v->fault == FAULT_DARK)
		return false;
	return v->kind == VERDICT_FAIL && (c == CLASS_DEVICE || c == CLASS_PORT);
}

const char *
fault_sentence(enum fault f)
{
	return faults[known(f)].sentence;
}

const char *
fault_advice(enum fault f)
{
	return faults[known(f)].advice;
}

static const char *
verdict_sentence(enum verdict_kind v)
{
	return verdicts[(unsigned)v < VERDICT_COUNT ? v : VERDICT_NONE].sentence;
}

const char *
verdict_advice(enum verdict_kind v)
{
	return verdicts[(unsigned)v < VERDICT_COUNT ? v : VERDICT_NONE].advice;
}

static const char *
dfu_status_name(unsigned status)
{
	return status < DFU_STATUS_COUNT ? dfu_statuses[status] : "unknown";
}

static void PRINTF_LIKE(3, 4) append(char *out, size_t size, const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(out + used, size - used, format, args); /* cut is fine */
	va_end(args);
}

/* " (step erasing, address 0x08004000, device status errWRITE: WHY)"; nothing when nothing is
 * known. */
static void
append_place(char *out, size_t size, const struct verdict *v, const char *why)
{
	const char *before = " (";

	if (step_name(v->step) != NULL) {
		append(out, size, "%sstep %s", before, step_name(v->step));
		before = ", ";
	}
	if (v->has_addr) {
		append(out, size, "%saddress 0x%08X", before, (unsigned)v->addr);
		before = ", ";
	}
	if (v->dfu_status != DFU_STATUS_OK) {
		append(out, size, "%sdevice status %s", before, dfu_status_name(v->dfu_status));
		before = ", ";
	}
	if (v->sys_errno != 0) {
		append(out, size, "%ssystem error: %s", before, strerror(v->sys_errno));
		before = ", ";
	}
	if (why != NULL) {
		append(out, size, "%s%s", before[0] == ',' ? ": " : before, why);
		before = ", ";
	}
	if (before[0] == ',')
		append(out, size, ")");
}

/* WHY: another board has neither that button nor that battery. */
static const char *
described_advice(enum fault f)
{
	static const enum fault bodily[] = { FAULT_SILENT,  FAULT_STALL,   FAULT_STUCK,
					     FAULT_REFUSED, FAULT_NO_DFU,  FAULT_DARK,
					     FAULT_NO_BOOT, FAULT_NO_LEAVE };

	for (size_t i = 0; i < ARRAY_LEN(bodily); i++)
		if (f == bodily[i])
			return "Take its power away, put it into DFU mode again as its manual "
			       "says, and retry; set it aside if it fails twice.";
	return fault_advice(f);
}

/* WHY: the first page is erased first and written last; between the two the drone cannot start. */
static const char *
remains_of(const struct verdict *v, bool family)
{
	if ((v->kind != VERDICT_FAIL && v->kind != VERDICT_INTERRUPTED) || v->step < STEP_ERASING ||
	    v->step > STEP_FIRST_PAGE)
		return "";
	return family ? " Its firmware is incomplete: it starts again once it has been flashed; "
			"if it does not appear when plugged in, put it into DFU mode: " BUTTON_STEPS
			"."
		      : " What it holds is incomplete until it has been flashed.";
}

static bool
went_well(enum verdict_kind v)
{
	return v != VERDICT_NEEDS_BUTTON && v != VERDICT_FAIL && v != VERDICT_SKIPPED &&
	       v != VERDICT_INTERRUPTED;
}

/* Cause and place, remedy, remains; of what went well there is no place. */
static void
compose(const struct verdict *v, bool family, const char *why, char *out, size_t size)
{
	bool by_verdict = known(v->fault) == FAULT_NONE || went_well(v->kind);
	const char *cause = by_verdict ? verdict_sentence(v->kind) : fault_sentence(v->fault);
	const char *remedy = by_verdict || v->kind == VERDICT_NEEDS_BUTTON ? verdict_advice(v->kind)
			     : family					   ? fault_advice(v->fault)
				      : described_advice(v->fault);

	if (size == 0)
		return;
	out[0] = '\0';
	/* The place belongs inside the sentence: before its full stop. */
	append(out, size, "%.*s", (int)strlen(cause) - 1, cause);
	if (!went_well(v->kind))
		append_place(out, size, v, why);
	/* WHY not of a drone: its bytes are right, and the rest of it is looked at next. */
	if (family && (v->kind == VERDICT_PASS || v->kind == VERDICT_UNCHANGED))
		remedy = "";
	append(out, size, ".%s%s%s", remedy[0] != '\0' ? " " : "", remedy, remains_of(v, family));
	if (went_well(v->kind) && why != NULL)
		append(out, size, " (%s)", why);
}

void
outcome_message(const struct verdict *v, const char *why, char *out, size_t size)
{
	compose(v, true, why, out, size);
}

void
outcome_described_message(const struct verdict *v, const char *why, char *out, size_t size)
{
	compose(v, false, why, out, size);
}
