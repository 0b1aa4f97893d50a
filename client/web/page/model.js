// SPDX-License-Identifier: MIT
// What the page knows, and what of it is shown: no document, no clock, no connection.

/**
 * Members of the interface org.cfdfu.Station that pages use.
 * @typedef {{
 *   port: string, label?: ?string, present: boolean, state: string, percent?: ?number,
 *   verdict?: ?string, class?: ?string, message?: ?string, advice?: ?string, todo?: ?string,
 *   name?: ?string, serial?: ?string, dfu_serial?: ?string, ready?: ?string,
 *   attempt?: ?number, row?: ?number, column?: ?number
 * }} Slot
 * @typedef {{platform: string, name: string, version?: ?string, quarantined?: ?boolean,
 *   problem?: ?string}} Selection
 * @typedef {{name: string, expect?: ?number, drones: number, good: number, failed: number,
 *   stopped?: ?string, waits_for?: ?string[], missing?: ?{text: string}[]}} Batch
 * @typedef {{present: number, active: number, pass: number, unchanged: number, failed: number,
 *   needs_power_cycle?: ?number, waiting?: ?number, quarantined?: ?number, foreign?: ?number,
 *   unserved?: ?number}} Counts
 * @typedef {{
 *   state: string, selected: Selection[], counts: Counts, own?: ?{target: string}[],
 *   health?: ?string, reason?: ?string, eta_s?: ?number, version?: ?string,
 *   brake?: ?{message: string}, notes?: ?string[], batch?: ?Batch,
 *   rack?: ?{rows: number, columns: number}
 * }} Station
 * @typedef {{station: Station, slots: Slot[], full?: ?boolean, lost?: ?boolean}} Reply  of Watch
 *
 * since: the page is not live, and has not been from then on; why: in words, for people.
 * @typedef {{station: ?Station, slots: Map<string, Slot>, since: ?Date, why: string}} State
 *
 * kind: the look of a tile, its class in the style sheet.
 * @typedef {{word: string, sign: string, kind: string, percent: ?number}} Tile
 * @typedef {{kind: string, label: string, text: string, more: string}} Line  more: at arm's length
 */

const ORDER = new Intl.Collator("en", { numeric: true });

/** @type {Record<string, [word: string, sign: string, kind: string]>} by class of the slot */
const LOOKS = {
	"absent": ["", "", "empty"],
	"waiting": ["WAIT", "…", "busy"],
	"pass": ["PASS", "✔", "good"],
	"unchanged": ["SAME", "✔", "good"],
	"fail": ["FAIL", "✖", "bad"],
	"needs-button": ["BUTTON", "!", "hand"],
	"needs-power-cycle": ["POWER", "!", "hand"],
	"interrupted": ["AGAIN", "!", "hand"],
	"quarantined": ["HELD", "!", "hand"],
	"skipped": ["SKIP", "–", "off"],
	"foreign": ["OTHER", "–", "off"],
	"unserved": ["NO FW", "–", "off"],
};

/** @param {Date} since @returns {State} */
export function unknown(since) {
	return { station: null, slots: new Map(), since, why: "" };
}

/** @param {State} state @param {Reply} reply @returns {State} */
export function fold(state, reply) {
	const slots = new Map(reply.full ? [] : state.slots);

	for (const slot of reply.slots)
		slots.set(slot.port, slot);
	return { station: reply.station, slots, since: null, why: "" };
}

// The first loss counts.
/** @param {State} state @param {Date} now @param {string} why @returns {State} */
export function down(state, now, why) {
	return { ...state, since: state.since ?? now, why };
}

/** @param {Slot} slot @returns {Tile} */
export function tile(slot) {
	const of = slot.class === "active" && slot.state === "waiting" ? "waiting" : slot.class ?? "absent";
	const [word, sign, kind] = LOOKS[of] ?? ["?", "?", "hand"], percent = slot.percent ?? null;

	if (of === "active")
		return { word: percent === null ? "BUSY" : `${percent}%`, sign: "▶", kind: "busy", percent };
	if (slot.present || kind === "busy")
		// WHY: its bytes are right, and the drone as a whole is not fit to fly.
		return { word, sign: kind === "good" && slot.ready === "no" ? "!" : sign, kind, percent: null };
	if (kind === "bad" || kind === "hand") // a drone in somebody's hand, or one that did not come back
		return { word, sign, kind: "left", percent: null };
	return { word: "", sign: "", kind: "empty", percent: null };
}

/** @param {Slot} slot */
export function label(slot) {
	return slot.label || slot.port;
}

/**
 * Where each slot is drawn, counted from 1, row by row; those without a place of their own in
 * near-square rows below the rest.
 * @param {State} state
 */
export function geometry({ station, slots }) {
	const rack = station?.rack, taken = new Set(), rest = [];
	/** @type {{slot: Slot, row: number, column: number}[]} */
	const cells = [];

	for (const slot of [...slots.values()].sort((a, b) => ORDER.compare(a.port, b.port))) {
		const row = slot.row ?? 0, column = slot.column ?? 0, at = `${row} ${column}`;
		const fits = rack && row >= 1 && row <= rack.rows && column >= 1 && column <= rack.columns;

		if (!fits || taken.has(at)) {
			rest.push(slot);
			continue;
		}
		taken.add(at);
		cells.push({ slot, row, column });
	}
	// Labels may begin anywhere: of "S1" to "S16" the rows before the S have no slots.
	const top = Math.min(...cells.map((c) => c.row)) - 1, left = Math.min(...cells.map((c) => c.column)) - 1;
	const above = cells.length > 0 && rack ? rack.rows - top : 0;
	const columns = above > 0 && rack ? rack.columns - left : Math.max(1, Math.ceil(Math.sqrt(rest.length)));

	cells.forEach((c) => { c.row -= top; c.column -= left; });
	rest.forEach((slot, i) => cells.push({ slot, row: above + 1 + Math.floor(i / columns),
		column: 1 + i % columns }));
	cells.sort((a, b) => a.row - b.row || a.column - b.column);
	return { rows: above + Math.ceil(rest.length / columns), columns, cells };
}

const URGENCY = ["bad", "hand", "left", "good", "off"]; // of the kinds that have advice

// What hands have to do, the most urgent first.
/** @param {State} state @param {number} most */
export function advice({ station, slots }, most) {
	/** @type {Line[]} */
	const lines = [];

	for (const slot of slots.values()) {
		const { kind } = tile(slot), rank = URGENCY.indexOf(kind);
		const text = slot.todo || (rank < 3 && (slot.advice || slot.message)) || "";

		if (text && rank >= 0)
			lines.push({ kind, label: label(slot), text, more: slot.advice ?? "" });
	}
	lines.sort((a, b) => URGENCY.indexOf(a.kind) - URGENCY.indexOf(b.kind) ||
		ORDER.compare(a.label, b.label));
	const { waits_for, missing } = station?.batch ?? {};

	if (waits_for?.length)
		lines.push({ kind: "note", label: "", text: `Others wait for ${waits_for.join(", ")}.`, more: "" });
	else if (station?.counts.active === 0)
		missing?.forEach(({ text }) => lines.push({ kind: "note", label: "", text, more: "" }));
	if (lines.length > most)
		lines.push({ kind: "note", label: "", text: `and ${lines.splice(most).length} more`, more: "" });
	return lines;
}

// The word for the station, and whether it is trouble.
/** @param {Station} station */
export function word(station) {
	if (station.health === "degraded")
		return { text: "STOPPED", bad: true };
	if (station.state === "paused")
		return { text: "PAUSED", bad: Boolean(station.brake || station.batch?.stopped) };
	if (station.counts.active > 0)
		return { text: "WORKING", bad: false };
	if (station.selected.length === 0 && !station.own?.length)
		return { text: "NO FIRMWARE", bad: true };
	return { text: "READY", bad: false };
}

// What the station as a whole has to say, or "".
/** @param {Station} station */
export function remark(station) {
	return (station.health === "degraded" && station.reason) || station.brake?.message ||
		station.batch?.stopped || station.selected.find((s) => s.problem)?.problem ||
		station.notes?.[0] || "";
}

// The first four always, the others where there are any.
/** @param {Station} station */
export function counters({ counts, batch }) {
	/** @type {[number, string, string][]} */
	const all = [[counts.pass + counts.unchanged, "PASS", "good"], [counts.failed, "FAIL", "bad"],
		[counts.active, "BUSY", "busy"], [counts.present, "IN RACK", "off"],
		[counts.needs_power_cycle ?? 0, "POWER", "hand"], [counts.quarantined ?? 0, "HELD", "hand"],
		[counts.waiting ?? 0, "WAIT", "busy"], [counts.unserved ?? 0, "NO FW", "off"],
		[counts.foreign ?? 0, "OTHER", "off"]];
	const shown = all.filter(([n], i) => n > 0 || i < 4)
		.map(([n, text, kind]) => ({ text: `${n} ${text}`, kind: n > 0 ? kind : "off" }));

	if (batch?.expect)
		shown.unshift({ text: `${batch.good} OF ${batch.expect}`, kind: "batch" });
	return shown;
}

// How far it is, 0 to 1: of what the batch expects, else of the drones that are served.
/** @param {State} state */
export function progress({ station, slots }) {
	let done = 0, all = 0, running = 0;

	for (const slot of slots.values()) {
		const { kind, percent } = tile(slot);

		all += ["busy", "good", "bad", "hand"].includes(kind) ? 1 : 0;
		done += ["good", "bad", "hand"].includes(kind) ? 1 : 0;
		running += (percent ?? 0) / 100;
	}
	if (station?.batch?.expect)
		return Math.min(1, (station.batch.good + running) / station.batch.expect);
	return all > 0 ? (done + running) / all : 0;
}

// The firmware that is selected, and how the batch stands.
/** @param {Station} station */
export function foot({ selected, batch }) {
	const texts = selected.map((s) => `${s.platform}: ${s.name}${s.version ? ` (${s.version})` : ""}` +
		(s.quarantined ? ", set aside" : ""));

	if (batch)
		texts.push(`batch ${batch.name}: ${batch.good} of ${batch.expect ?? batch.drones} good, ${batch.failed} failed`);
	return texts;
}

/** @param {number} seconds  to go */
export function clock(seconds) {
	const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
	const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;

	return (hours ? `${hours}:${two(minutes)}` : `${minutes}`) + `:${two(seconds % 60)}`;
}

const WORK_MS = 5000; // shorter work, as of one drone plugged in again, does not ring

// Tells the tune when the rack falls idle after work: "good", "hand", or null.
export function bell() {
	/** @type {?number} */
	let begun = null;

	return (/** @type {State} */ state, /** @type {number} */ now_ms) => {
		const active = state.station?.counts.active ?? 0, worked = begun === null ? 0 : now_ms - begun;

		if (state.since)
			return null;
		begun = active > 0 ? begun ?? now_ms : null;
		if (active > 0 || worked < WORK_MS)
			return null;
		return (advice(state, 1)[0]?.kind ?? "note") === "note" ? "good" : "hand";
	};
}
