// SPDX-License-Identifier: MIT
// The wall's page in a real browser, fed by a stand-in of the web server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { after, before } from "node:test";
import { contrast, distance, parse } from "./colour.mjs";
import { browser } from "./driver.mjs";
import { absent, busy, ended, rack, reply, slot, wall16, wallOf } from "./made.mjs";
import { stand } from "./stand.mjs";
import { PAGE } from "./station.mjs";
import { until } from "./until.mjs";

let chromium, server;

before(async () => { [chromium, server] = [await browser(), await stand(PAGE)]; });
after(async () => { await chromium.close(); await server.stop(); });

// A page that shows a reply, for one test.
async function shown(t, first, options) {
	server.welcome();
	server.say(first);
	const page = await chromium.open(server.url, options);

	t.after(() => page.close());
	await page.until("document.querySelector('.state')?.textContent && !document.querySelector('.down')");
	return page;
}

const tiles = (page) => page.run(`[...document.querySelectorAll(".tile")].map((t) => [t.dataset.port, t.classList[1],
	t.querySelector(".label").textContent, t.querySelector(".word").textContent])`);
const texts = (page, selector) => page.run(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => e.innerText)`);

function clean(page, ...sources) {
	assert.deepEqual(page.said.filter((s) => !sources.includes(s.source)), []);
}

test("tiles by port, with their word, colour class and place; counters, time to go, firmware", async (t) => {
	const page = await shown(t, wall16());

	assert.deepEqual((await tiles(page)).slice(0, 8), [["1-1.1", "busy", "A1", "52%"], ["1-1.2", "left", "A2", "FAIL"],
		["1-1.3", "good", "A3", "SAME"], ["1-1.4", "good", "A4", "PASS"], ["1-2.1", "good", "B1", "PASS"],
		["1-2.2", "good", "B2", "PASS"], ["1-2.3", "good", "B3", "PASS"], ["1-2.4", "hand", "B4", "POWER"]]);
	assert.deepEqual(await texts(page, ".counters > *"), ["5 PASS", "2 FAIL", "4 BUSY", "11 IN RACK", "1 POWER"]);
	assert.deepEqual(await texts(page, ".state, .eta, .texts"), ["WORKING", "0:09", "cf2: cf2-2025.12 (2025.12)"]);
	assert.ok(await page.run(`(() => { const [a, b, , , e] = [...document.querySelectorAll(".tile")].map((t) => t.getBoundingClientRect());
		return a.top === b.top && a.right < b.left && e.left === a.left && e.top > a.bottom; })()`));
	clean(page);
});

test("advice of the most urgent, short on the wall and in full on a phone", async (t) => {
	const page = await shown(t, wall16());

	assert.deepEqual(await texts(page, ".advice li"), ["B4Switch it off and on again.", "C3Hold the button while plugging it in.",
		"A2Unplug it and the battery, then plug it in again.", "B3Charge it."]);
	const phone = await shown(t, wall16(), { width: 390, height: 844 });

	assert.ok((await texts(phone, ".advice li"))[2].includes("hold down the push button"));
	assert.equal(await phone.run("document.documentElement.scrollWidth"), 390);
	// ... where it is seen without scrolling past 120 slots.
	server.say(wallOf(10, 12));
	await phone.until("document.querySelectorAll('.tile').length === 120");
	assert.ok(await phone.run("document.querySelector('.advice li').getBoundingClientRect().bottom <= innerHeight"));
	server.say(wall16());
	await phone.until("document.querySelectorAll('.tile').length === 16");
	assert.equal(await phone.run(`new Set([...document.querySelectorAll(".tile")].map((t) => t.getBoundingClientRect().left)).size`), 4);
});

test("a change is shown in its tile, in the same element; the others are not touched", async (t) => {
	const first = wallOf(4, 4), page = await shown(t, first);

	await page.run(`window.kept = [...document.querySelectorAll(".tile")];
		window.changed = new Set(); new MutationObserver((all) => all.forEach((m) => changed.add(
			(m.target.closest ?? m.target.parentElement.closest).call(m.target.closest ? m.target : m.target.parentElement, ".tile")?.dataset.port)))
			.observe(document.querySelector(".tiles"), { subtree: true, childList: true, attributes: true, characterData: true })`);
	server.say({ ...first, slots: [{ ...first.slots[5], ...ended("pass") }], full: false });
	await page.until(`document.querySelector("[data-port='1-2.2'] .word").textContent === "PASS"`);
	assert.deepEqual(await page.run("[...changed]"), ["1-2.2"]);
	assert.ok(await page.run(`[...document.querySelectorAll(".tile")].every((t, i) => t === kept[i])`));
});

test("a slot that a full reply does not name goes, and its place is free", async (t) => {
	const page = await shown(t, reply([slot("1-1"), slot("1-2", ended("pass"))]));

	server.say(reply([slot("1-2", ended("pass"))]));
	await page.until("document.querySelectorAll('.tile').length === 1");
	assert.deepEqual(await tiles(page), [["1-2", "good", "1-2", "PASS"]]);
});

const HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=1</script>\"'&amp;";

test("texts of drones, people and files are shown as texts, wherever they stand", async (t) => {
	const all = { label: HOSTILE, name: HOSTILE, serial: HOSTILE, message: HOSTILE, advice: HOSTILE, todo: HOSTILE };
	const batch = { name: HOSTILE, expect: 3, drones: 1, good: 0, failed: 1, stopped: HOSTILE, waits_for: [HOSTILE], missing: [{ text: HOSTILE }] };
	const selected = [{ platform: HOSTILE, name: HOSTILE, version: HOSTILE }];
	const page = await shown(t, reply([slot("1-1", { ...ended("fail"), ...all })], { batch, selected, state: "paused", version: HOSTILE }));

	assert.equal((await texts(page, ".label"))[0], HOSTILE);
	assert.equal(await page.run("document.querySelectorAll('img, .tile script').length + (window.hit ?? 0)"), 0);
	assert.ok((await texts(page, ".advice"))[0].includes("<img"));
	assert.equal(await page.run("document.documentElement.scrollWidth <= innerWidth"), true);
	clean(page);
});

test("nothing runs in the page but its own files", async (t) => {
	const page = await shown(t, wall16());

	await page.run(`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.hit = 1" }))`);
	assert.equal(await page.run("window.hit"), undefined);
	assert.ok(page.said.some((s) => s.source === "security"));
});

// What is too wide or too high: of the page, of a tile, of a line.
const OVERFLOW = `(() => {
	const bad = [], box = (e) => e.getBoundingClientRect();

	if (document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth)
		bad.push("page");
	for (const e of document.querySelectorAll(".eta, .foot"))
		if (box(e).right > innerWidth || box(e).bottom > innerHeight)
			bad.push(e.className);
	for (const t of document.querySelectorAll(".tile")) {
		const [label, sign, word] = [".label", ".sign", ".word"].map((s) => t.querySelector(s));

		if (word.scrollWidth > word.clientWidth + 1 || box(word).right > box(t).right + 1 || box(t).bottom > innerHeight ||
			box(label).right > box(t).right || (!t.closest(".dense") && sign.textContent && box(label).right > box(sign).left))
			bad.push(t.dataset.port);
	}
	for (const li of document.querySelectorAll(".advice li:not(.remark)"))
		if (li.scrollWidth > li.clientWidth)
			bad.push(li.textContent);
	return bad.length && bad;
})()`;

const CLASSES = ["needs-button", "needs-power-cycle", "interrupted", "quarantined", "foreign", "unserved", "skipped", "fail"];

for (const [rows, columns, width, height] of [[4, 4, 1920, 1080], [7, 7, 1920, 1080], [10, 12, 1920, 1080], [10, 12, 1280, 720],
	[4, 4, 1024, 768], [1, 16, 1920, 1080], [12, 10, 1080, 1920]])
	test(`${rows * columns} slots, ${rows} x ${columns}, on ${width} x ${height}: nothing is cut, and nothing overflows`, async (t) => {
		// The longest sentences that there are, and each word on a tile.
		const todo = [...readFileSync(new URL("../../daemon/core/todo.c", import.meta.url), "utf8").matchAll(/"([A-Z][^"]+\.)"/g)]
			.map((m) => m[1]).sort((a, b) => b.length - a.length);
		const slots = rack(rows, columns, (i) => i % 3 ? busy(100) : { ...ended(CLASSES[i / 3 % 8]), todo: todo[i % 4] });

		assert.ok(todo.length > 30 && todo[0].length > 50);
		const page = await shown(t, reply(slots, { eta_s: 36000, rack: { rows, columns }, state: "paused" }), { width, height });

		assert.equal(await page.run(OVERFLOW), 0);
		assert.equal(await page.run("document.querySelectorAll('.tile').length"), rows * columns);
	});

// How long the scripts take from a reply's text to its elements.
const TIMED = `{ const parse = JSON.parse; window.spent = []; JSON.parse = (text) => {
	const begin = performance.now(); queueMicrotask(() => spent.push(performance.now() - begin)); return parse(text); }; }`;

test("slots without a label show their port whole; long labels are cut within their tile", async (t) => {
	for (const n of [16, 49, 120]) {
		const slots = Array.from({ length: n }, (_, i) => slot(`1-1.4.${i + 1}`, { ...busy(5), label: i % 5 === 4 ? "rack behind the door " + i : null }));
		const page = await shown(t, reply(slots));

		assert.equal(await page.run(OVERFLOW), 0);
		assert.equal(await page.run(`[...document.querySelectorAll(".label")].filter((e) => /^1-/.test(e.textContent) &&
			e.scrollWidth > e.clientWidth + 1).length`), 0);
	}
});

test("120 slots that all change cost the page less than 16 ms of script a frame", async (t) => {
	const page = await shown(t, wallOf(10, 12), { before: TIMED });

	await page.run("spent.splice(0)");
	for (let frame = 1; frame <= 40; frame++) {
		server.say({ ...reply(rack(10, 12, (i) => busy((i + frame) % 101)), { eta_s: frame, rack: { rows: 10, columns: 12 } }), full: false });
		await page.until(`document.querySelector(".eta").textContent === "0:${String(frame).padStart(2, "0")}"`);
	}
	const times = (await page.run("spent")).sort((a, b) => a - b);

	t.diagnostic(`script a frame: median ${times[20].toFixed(1)} ms, most ${times[39].toFixed(1)} ms`);
	assert.equal(times.length, 40);
	assert.ok(times[20] > 0 && times[20] < 16, String(times)); // WHY the median: a machine may stand still
});

const KINDS = ["good", "bad", "hand", "busy", "empty"];

function kinds() {
	return reply([slot("1-1", ended("pass")), slot("1-2", ended("fail")), slot("1-3", ended("needs-button")),
		slot("1-4", busy(0)), absent("1-5"), slot("1-6", { class: "foreign" })]);
}

test("tiles are told apart with each deficiency of colour vision, and without colours", async (t) => {
	const page = await shown(t, kinds(), { width: 900, height: 600 }), scratch = await chromium.open("about:blank");
	const points = await page.run(`Object.fromEntries(${JSON.stringify(KINDS)}.map((kind) => {
		const box = document.querySelector(".tile." + kind).getBoundingClientRect();
		return [kind, [Math.round(box.left), Math.round(box.top + box.height * 0.86), Math.round(box.width)]]; }))`);

	t.after(() => scratch.close());
	// The two colours that a line through each tile has most of: stripes are two.
	const look = async () => scratch.run(`(async () => {
		const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64,${await page.picture()}")).blob());
		const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");

		canvas.drawImage(bitmap, 0, 0);
		return Object.entries(${JSON.stringify(points)}).map(([kind, [x, y, width]]) => {
			const data = canvas.getImageData(x + 12, y, width - 24, 1).data, seen = new Map();

			for (let i = 0; i < data.length; i += 4) {
				const colour = [...data.slice(i, i + 3)].join();
				seen.set(colour, (seen.get(colour) ?? 0) + 1);
			}
			return [kind, [...seen].sort((a, b) => b[1] - a[1]).slice(0, kind === "bad" ? 2 : 1).map(([c]) => c.split(",").map(Number))];
		});
	})()`);
	const nearest = (colours) => colours.flatMap(([one, ones], i) => colours.slice(i + 1).flatMap(([other, others]) =>
		ones.flatMap((a) => others.map((b) => ({ apart: distance(a, b), one, other }))))).sort((a, b) => a.apart - b.apart)[0];

	for (const type of ["none", "deuteranopia", "protanopia", "tritanopia", "achromatopsia"]) {
		let found;

		await page.ask("Emulation.setEmulatedVisionDeficiency", { type });
		await until(async () => (found = nearest(await look())).apart >= 14, `${type}: 14 apart`); // when it is painted
		t.diagnostic(`${type}: nearest are ${found.one} and ${found.other}, ${found.apart.toFixed(0)} apart`);
	}
});

test("each text has a contrast of 4.5 at least", async (t) => {
	const page = await shown(t, wall16());

	for (const first of [kinds(), wall16(), reply([slot("1-1", { class: "active", state: "waiting" })], { health: "degraded", reason: "Full." })]) {
		server.say(first);
		await page.until(`document.querySelector(".counters").lastChild.textContent`);
		const found = await page.run(`[...document.querySelectorAll(".wall *")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3))
			.filter((e) => e.checkVisibility()).map((e) => {
				let below = e;

				for (; below !== document.body; below = below.parentElement) {
					const style = getComputedStyle(below);
					if (style.backgroundImage !== "none" || style.backgroundColor !== "rgba(0, 0, 0, 0)")
						break;
				}
				const style = getComputedStyle(below);
				return [e.textContent, getComputedStyle(e).color, style.backgroundImage + style.backgroundColor];
			})`);

		assert.ok(found.length > 8);
		for (const [text, colour, below] of found)
			for (const one of parse(below))
				assert.ok(contrast(parse(colour)[0], one) >= 4.5, `${text}: ${colour} on ${below}`);
	}
});

const GREY = `document.querySelector(".box").checkVisibility() &&
	getComputedStyle(document.querySelector(".tiles")).filter.includes("grayscale(1)")`;

test("a lost connection: all grey and dated at once, and over when the server is back", async (t) => {
	const page = await shown(t, wall16());

	await server.stop();
	await page.until(GREY);
	assert.match((await texts(page, ".box"))[0], /^NO CONNECTION TO THE STATION since \d\d:\d\d:\d\d\. What is shown may be old/);
	const since = (await texts(page, ".box"))[0].match(/since (.*?)\./)[1];

	await page.until(`document.querySelector(".box").textContent.includes("the web server is away")`);
	assert.ok((await texts(page, ".box"))[0].includes(since));
	await server.start();
	await page.until(`!(${GREY})`);
	assert.equal((await tiles(page)).length, 16);
	clean(page, "network"); // the browser's own remarks on what could not be loaded
});

test("before the first reply the page is grey, too; a refusal is shown in the server's words", async (t) => {
	const page = await shown(t, wall16());

	server.refuse("16 browsers watch already.");
	await page.until(`document.querySelector(".box").textContent.includes("(16 browsers watch already.)")`);
	const other = await chromium.open(server.url);

	t.after(() => other.close());
	await other.until(`document.querySelector(".box")?.textContent.includes("(16 browsers watch already.)")`);
	assert.ok(await other.run(GREY));
	server.welcome();
	await page.until(`!(${GREY})`);
	await other.until(`!(${GREY}) && document.querySelectorAll(".tile").length === 16`);
});

// Timers of 20 s wait until a test lets them end.
const HELD_TIMERS = `{ const real = setTimeout, clear = clearTimeout; let next = -1; window.held = new Map();
	window.setTimeout = (f, ms) => ms === 20000 ? (held.set(next, f), next--) : real(f, ms);
	window.clearTimeout = (id) => held.delete(id) || clear(id); }`;

test("a server that says nothing for 20 s is given up, a beat is enough", async (t) => {
	const page = await shown(t, wall16(), { before: HELD_TIMERS });
	const [before] = await page.run("[...held.keys()]");

	server.beat();
	await page.until(`held.size === 1 && !held.has(${before})`);
	assert.equal(await page.run(GREY), false);
	server.mute();
	await page.run("[...held.values()].forEach((f) => f())");
	await page.until(`${GREY} && document.querySelector(".box").textContent.includes("(it says nothing)")`);
	server.welcome();
	await page.run("[...held.values()].forEach((f) => f())"); // the attempt that was mute, too
	await page.until(`!(${GREY})`);
});

test("a station of another version: the page is loaded anew", async (t) => {
	const page = await shown(t, wall16());

	await page.run("window.old = true");
	server.say({ ...wall16(), station: { ...wall16().station, version: "2" } });
	await page.until(`!window.old && document.querySelectorAll(".tile").length === 16`);
});

// Time as a test tells it; the pitches of the tones.
const HEARD = `window.now = 0; performance.now = () => window.now; window.heard = [];
	{ const start = OscillatorNode.prototype.start;
	OscillatorNode.prototype.start = function (at) { heard.push(this.frequency.value); start.call(this, at); }; }`;

test("the rack rings when it falls idle: two tones that rise, three low ones where hands are needed", async (t) => {
	const page = await shown(t, reply([slot("1-1", busy(1))]), { before: HEARD });
	const fall = async (slots, begun) => {
		server.say(reply([slot("1-1", busy(2))], { eta_s: begun }));
		await page.until(`document.querySelector(".eta").textContent === "0:0${begun}"`);
		await page.run("window.now += 6000");
		server.say(reply(slots));
		await page.until(`document.querySelector(".state").textContent === "READY"`);
		return page.run("heard.splice(0)");
	};

	await page.until(`document.querySelector(".sound").textContent === "Sound off"`); // it sounds
	assert.deepEqual(await fall([slot("1-1", ended("pass"))], 1), [660, 880]);
	assert.deepEqual(await fall([slot("1-1", ended("fail", { todo: "Do it." }))], 2), [220, 220, 220]);
	await page.run(`document.querySelector(".sound").click()`);
	await page.until(`document.querySelector(".sound").textContent === "Sound on"`);
	assert.deepEqual(await fall([slot("1-1", ended("pass"))], 3), []);
});
