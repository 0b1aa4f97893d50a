// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { absent, busy, ended, rack, reply, slot, station } from "./made.mjs";

const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const interfaceText = read("include/cfdfu/org.cfdfu.Station.varlink");
// The page's files are modules by their tag, and no package file says so to Node.
const model = await import("data:text/javascript," + encodeURIComponent(read("client/web/page/model.js")));

const now = new Date(2026, 0, 31, 17, 48, 51);
const live = (slots, more) => model.fold(model.unknown(now), reply(slots, more));

// The words in quotes of a comment of the interface, from one text up to another.
function words(from, to) {
	const text = interfaceText.replace(/\n#? */g, " ");
	const begin = text.indexOf(from);

	assert.notEqual(begin, -1, from);
	return [...text.slice(begin, text.indexOf(to, begin)).matchAll(/"([a-z-]+)"/g)].map((m) => m[1]);
}

test("each verdict and each class of the interface has a tile of its own word", () => {
	const verdicts = words('Verdicts are "pass"', "Texts that come");
	const classes = words("class: how the slot counts", "safe_to_unplug:");

	assert.equal(verdicts.length, 7);
	assert.deepEqual(classes, ["absent", "active", "waiting", "quarantined", "foreign", "unserved"]);
	const seen = [...verdicts, ...classes].map((c) => model.tile(slot("1-1", { class: c })).word);

	assert.ok(!seen.includes("?"), seen.join());
	assert.equal(new Set(seen).size, seen.length, seen.join());
});

test("a class that the page does not know asks for a look", () => {
	assert.deepEqual(model.tile(slot("1-1", { class: "hovering" })),
		{ word: "?", sign: "?", kind: "hand", percent: null });
});

test("a drone at work shows its percent, or that it waits, also where it is away between two modes", () => {
	assert.equal(model.tile(slot("1-1", busy(57))).word, "57%");
	assert.equal(model.tile(slot("1-1", busy(0))).word, "0%");
	assert.equal(model.tile(slot("1-1", busy(null))).word, "BUSY");
	assert.equal(model.tile(slot("1-1", { class: "active", state: "waiting" })).word, "WAIT");
	assert.equal(model.tile(slot("1-1", { ...busy(30), present: false })).word, "30%");
});

test("an ending that is bad stays until the next drone comes, a good one leaves an empty slot", () => {
	for (const verdict of ["fail", "needs-button", "needs-power-cycle", "interrupted"])
		assert.equal(model.tile(absent("1-1", ended(verdict))).kind, "left", verdict);
	for (const verdict of ["pass", "unchanged", "skipped"])
		assert.equal(model.tile(absent("1-1", ended(verdict))).kind, "empty", verdict);
});

test("a drone with the right bytes that is not ready is told from one that is", () => {
	assert.equal(model.tile(slot("1-1", ended("pass", { ready: "no" }))).sign, "!");
	assert.equal(model.tile(slot("1-1", ended("pass", { ready: "yes" }))).sign, "✔");
	assert.equal(model.tile(slot("1-1", ended("unchanged", { ready: "unknown" }))).sign, "✔");
});

test("replies add up to what the station knows; a full one replaces all", () => {
	let state = live([slot("1-1", busy(3)), slot("1-2")]);

	state = model.fold(state, { ...reply([slot("1-1", ended("pass"))]), full: false });
	assert.deepEqual([...state.slots.keys()], ["1-1", "1-2"]);
	assert.equal(state.slots.get("1-1").class, "pass");
	state = model.fold(state, reply([slot("1-2")]));
	assert.deepEqual([...state.slots.keys()], ["1-2"]);
});

test("a random order of changes and losses shows what a full look would", () => {
	let seed = 7;
	const random = (n) => (seed = seed * 48271 % 2147483647) % n;

	for (let run = 0; run < 200; run++) {
		const truth = new Map();
		let state = model.unknown(now);

		for (let i = 0; i < 30; i++) {
			const one = slot(`1-${random(9)}`, [busy(random(100)), ended("pass"), ended("fail")][random(3)]);

			if (random(8) === 0)
				truth.delete(one.port);
			else
				truth.set(one.port, one);
			const full = !truth.has(one.port) || i === 0 || random(10) === 0;

			state = random(6) === 0 ? model.down(state, now, "away") : state;
			state = model.fold(state, { ...reply(full ? [...truth.values()] : [one]), full });
			assert.equal(state.since, null);
			assert.deepEqual(new Map([...state.slots].sort()), new Map([...truth].sort()));
		}
	}
});

test("a lost connection is dated by the first loss, and over with the next reply", () => {
	let state = model.down(live([slot("1-1")]), now, "away");

	state = model.down(state, new Date(2027, 0), "still away");
	assert.equal(state.since, now);
	assert.equal(state.why, "still away");
	assert.equal(state.slots.size, 1);
	assert.equal(model.fold(state, reply([])).since, null);
});

const places = (state) => Object.fromEntries(model.geometry(state).cells.map((c) => [c.slot.port, [c.row, c.column]]));

test("places of the rack are kept, with holes", () => {
	const state = live([slot("1-9", { row: 1, column: 3 }), slot("1-2", { row: 2, column: 1 })],
		{ rack: { rows: 2, columns: 3 } });

	assert.deepEqual(places(state), { "1-9": [1, 3], "1-2": [2, 1] });
	assert.deepEqual([model.geometry(state).rows, model.geometry(state).columns], [2, 3]);
});

test("slots without a place, beyond the rack or on another's place stand below it", () => {
	const state = live([slot("1-1", { row: 1, column: 1 }), slot("1-2", { row: 1, column: 1 }),
		slot("1-3", { row: 9, column: 1 }), slot("1-4")], { rack: { rows: 1, columns: 2 } });

	assert.deepEqual(places(state), { "1-1": [1, 1], "1-2": [2, 1], "1-3": [2, 2], "1-4": [3, 1] });
	assert.equal(model.geometry(state).rows, 3);
});

test("without a rack ports stand in their order, as numbers, near to a square", () => {
	const state = live([slot("1-10"), slot("1-2"), slot("1-1.10"), slot("1-1.9")]);

	assert.deepEqual(places(state), { "1-1.9": [1, 1], "1-1.10": [1, 2], "1-2": [2, 1], "1-10": [2, 2] });
	for (let n = 0; n <= 120; n++) {
		const { rows, columns, cells } = model.geometry(live(rack(1, n, () => ({ row: null }))));

		assert.equal(cells.length, n);
		assert.ok(rows * columns >= n && rows * columns < n + columns + 1, String(n));
	}
});

test("advice names the most urgent first, four at most, and how many more", () => {
	const todo = "Do it.";
	const slots = [slot("1-1", ended("pass", { todo: "Charge it." })), absent("1-2", ended("fail", { todo })),
		slot("1-3", ended("needs-button", { todo })), slot("1-4", ended("fail", { todo, label: "A4" })),
		slot("1-5", ended("pass")), slot("1-6", { ...busy(3), todo })];
	const lines = model.advice(live(slots), 4);

	assert.deepEqual(lines.map((l) => `${l.label} ${l.text}`), ["A4 Do it.", "1-3 Do it.", "1-2 Do it.", "1-1 Charge it."]);
	assert.deepEqual(model.advice(live(slots), 2).map((l) => l.text), ["Do it.", "Do it.", "and 2 more"]);
});

test("a bad ending of a station that says nothing for hands still has a line", () => {
	assert.equal(model.advice(live([slot("1-1", ended("fail", { advice: "Look." }))]), 4)[0].text, "Look.");
	assert.equal(model.advice(live([slot("1-1", ended("fail", { message: "Bad." }))]), 4)[0].text, "Bad.");
});

test("what a batch misses is named when the rack is idle, and the canaries while others wait for them", () => {
	const batch = { name: "x", expect: 3, drones: 1, good: 1, failed: 0, missing: [{ text: "A2 had no drone." }] };

	assert.equal(model.advice(live([slot("1-1", ended("pass"))], { batch }), 4)[0].text, "A2 had no drone.");
	assert.deepEqual(model.advice(live([slot("1-1", busy(1))], { batch }), 4), []);
	assert.equal(model.advice(live([slot("1-1", busy(1))], { batch: { ...batch, waits_for: ["A1 (1-1)", "A2 (1-2)"] } }), 4)[0].text,
		"Others wait for A1 (1-1), A2 (1-2).");
});

test("the station's word: stopped before paused before at work before no firmware", () => {
	const of = (slots, more) => model.word(station(slots, more)).text;
	const working = [slot("1-1", busy(1))];

	assert.equal(of(working, { health: "degraded", state: "paused" }), "STOPPED");
	assert.equal(of(working, { state: "paused" }), "PAUSED");
	assert.equal(of(working, {}), "WORKING");
	assert.equal(of([], { selected: [] }), "NO FIRMWARE");
	assert.equal(of([], { selected: [], own: [{ target: "1-1" }] }), "READY");
	assert.equal(of([], {}), "READY");
});

test("why nothing begins is said: health, brake, batch, a selection's problem, notes", () => {
	assert.equal(model.remark(station([], { health: "degraded", reason: "Disk full." })), "Disk full.");
	assert.equal(model.remark(station([], { brake: { message: "Braked." }, notes: ["n"] })), "Braked.");
	assert.equal(model.remark(station([], { batch: { stopped: "Canary failed." } })), "Canary failed.");
	assert.equal(model.remark(station([], { selected: [{ problem: "Gone." }] })), "Gone.");
	assert.equal(model.remark(station([], { notes: ["Hub 1-2 took 3 drones."] })), "Hub 1-2 took 3 drones.");
	assert.equal(model.remark(station([])), "");
	assert.deepEqual(model.word(station([], { state: "paused", brake: { message: "x" } })), { text: "PAUSED", bad: true });
});

test("counters agree with the station's, rare ones only where there are any", () => {
	const texts = (slots, more) => model.counters(station(slots, more)).map((c) => c.text);

	assert.deepEqual(texts([]), ["0 PASS", "0 FAIL", "0 BUSY", "0 IN RACK"]);
	assert.deepEqual(texts([slot("1", ended("pass")), slot("2", ended("unchanged")), slot("3", { class: "foreign" }),
		slot("4", { class: "unserved" })]), ["2 PASS", "0 FAIL", "0 BUSY", "4 IN RACK", "1 NO FW", "1 OTHER"]);
	assert.equal(texts([], { batch: { name: "x", expect: 25, good: 12 } })[0], "12 OF 25");
});

test("progress is of the served drones, or of what the batch expects", () => {
	assert.equal(model.progress(live([])), 0);
	assert.equal(model.progress(live([slot("1", busy(50)), slot("2", ended("pass")), slot("3", { class: "foreign" })])), 0.75);
	assert.equal(model.progress(live([slot("1", busy(50))], { batch: { expect: 3, good: 1 } })), 0.5);
	assert.equal(model.progress(live([slot("1", busy(50))], { batch: { expect: 3, good: 5 } })), 1);
});

test("firmware, batch and time to go as people read them", () => {
	const batch = { name: "spring", expect: 25, drones: 5, good: 4, failed: 1 };

	assert.deepEqual(model.foot(station([])), ["cf2: cf2-2025.12 (2025.12)"]);
	assert.deepEqual(model.foot(station([], { batch, selected: [{ platform: "tag", name: "x", quarantined: true }] })),
		["tag: x, set aside", "batch spring: 4 of 25 good, 1 failed"]);
	assert.deepEqual([0, 9, 61, 3601].map(model.clock), ["0:00", "0:09", "1:01", "1:00:01"]);
});

test("the bell rings once when the rack falls idle after work of five seconds", () => {
	const working = live([slot("1-1", busy(1))]), good = live([slot("1-1", ended("pass"))]);
	const bad = live([slot("1-1", ended("fail", { todo: "Do it." }))]);
	const heard = (...steps) => { const ring = model.bell(); return steps.map(([state, at]) => ring(state, at)); };

	assert.deepEqual(heard([good, 0], [working, 1], [working, 6000], [good, 6001], [good, 9000]), [null, null, null, "good", null]);
	assert.deepEqual(heard([working, 0], [bad, 5000]), [null, "hand"]);
	assert.deepEqual(heard([working, 0], [live([], { batch: { missing: [{ text: "B1" }] } }), 5000]), [null, "good"]);
	assert.deepEqual(heard([working, 0], [good, 4999]), [null, null]);
	assert.deepEqual(heard([working, 0], [model.down(working, now, ""), 9000], [good, 9001]), [null, null, "good"]);
});
