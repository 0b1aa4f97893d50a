// SPDX-License-Identifier: MIT
// Replies of a station as tests need them.
export const COUNTS = { present: 0, active: 0, pass: 0, unchanged: 0, failed: 0, skipped: 0, needs_power_cycle: 0,
	needs_button: 0, interrupted: 0, waiting: 0, quarantined: 0, foreign: 0, unserved: 0 };

export function slot(port, more = {}) {
	return { port, label: null, present: true, mode: "runtime", serial: null, dfu_serial: null, platform: "cf2",
		state: "ended", percent: null, eta_s: null, verdict: null, fault: null, step: null, message: null,
		version_before: null, version_after: null, attempt: null, safe_to_unplug: true, advice: null,
		class: "unserved", name: null, batch: null, ready: "unknown", row: null, column: null, todo: null, ...more };
}

export function absent(port, more = {}) {
	return slot(port, { present: false, mode: "none", state: "absent", class: "absent", ...more });
}

export function station(slots, more = {}) {
	const count = (...classes) => slots.filter((s) => classes.includes(s.class)).length;

	return { state: "armed", selected: [{ platform: "cf2", name: "cf2-2025.12", version: "2025.12", sha256: "" }],
		health: "ok", eta_s: null, version: "1", own: [], notes: [], paused_by: null, brake: null, batch: null, rack: null,
		counts: { ...COUNTS, present: slots.filter((s) => s.present).length, active: count("active"), pass: count("pass"),
			unchanged: count("unchanged"), failed: count("fail", "needs-button", "interrupted"),
			needs_power_cycle: count("needs-power-cycle"), quarantined: count("quarantined"),
			foreign: count("foreign"), unserved: count("unserved"), waiting: count("waiting") }, ...more };
}

export function reply(slots, more = {}) {
	return { station: station(slots, more), slots, full: true, lost: false };
}

// A rack of labelled slots; of(i) is what the slot has beside its place.
export function rack(rows, columns, of) {
	return Array.from({ length: rows * columns }, (_, i) => {
		const row = 1 + Math.floor(i / columns), column = 1 + i % columns;

		return slot(`1-${row}.${column}`, { label: String.fromCharCode(64 + row) + column, row, column, ...of(i) });
	});
}

export const busy = (percent) => ({ class: "active", state: "writing", percent, safe_to_unplug: false });
export const ended = (verdict, more = {}) => ({ class: verdict, verdict, ...more });

// The racks of the pictures.
export function wall16() {
	const gone = { ...absent("").valueOf() };
	const of = [busy(52), { ...gone, ...ended("fail"), todo: "Unplug it and the battery, then plug it in again.",
		advice: "Remove USB and, if there is one, the battery, and plug it in again; if it stays dark, put it into DFU mode: " +
			"hold down the push button while inserting the USB cable." },
	ended("unchanged"), ended("pass", { name: "cf-04" }), ended("pass", { name: "cf-05" }), ended("pass"),
	ended("pass", { ready: "no", todo: "Charge it." }), ended("needs-power-cycle", { todo: "Switch it off and on again." }),
	busy(57), busy(52), ended("needs-button", { todo: "Hold the button while plugging it in." }), gone, busy(34), gone, gone, gone];

	return reply(rack(4, 4, (i) => { const { port, label, row, column, ...rest } = of[i]; return rest; }),
		{ eta_s: 9, rack: { rows: 4, columns: 4 } });
}

export function wallOf(rows, columns) {
	const slots = rack(rows, columns, (i) => i % 13 === 11 ? ended("pass") : busy((i * 7) % 95));
	const last = slots[slots.length - Math.ceil(slots.length * 0.3)];

	if (rows * columns > 64)
		Object.assign(last, ended("fail", { percent: null, todo: "Unplug it, press the button while plugging it in again." }));
	return reply(slots, { eta_s: 42, rack: { rows, columns } });
}

// A batch that has stopped by itself.
export function wallBatch() {
	const stopped = "Batch \"spring\" has stopped: 3 drones failed, on A2, B1 and B4. Find the cause, then resume.";
	const of = (i) => [1, 4, 7].includes(i) ? ended("fail", { todo: "Check its cable; plug it in here again." })
		: i < 12 ? ended("pass") : { ...absent(""), port: undefined };
	const slots = rack(4, 4, (i) => { const { port, label, row, column, ...rest } = of(i); return rest; });

	return reply(slots, { state: "paused", paused_by: "batch", rack: { rows: 4, columns: 4 }, batch: { name: "spring", expect: 25,
		drones: 12, good: 9, ready: 9, failed: 3, first_good: 9, stopped } });
}
