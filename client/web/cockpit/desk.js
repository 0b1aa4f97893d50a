// SPDX-License-Identifier: MIT
// The operators' desk: the wall, a bar of buttons above it, a panel beside it.  Everything is offered
// to everybody: who may not do a thing is told so by the station, in its words.
import { label } from "./model.js";
import { mount } from "./view.js";
import { call, run, watch } from "./link-cockpit.js";

/** @typedef {Record<string, any>} Row  members as the interface has them */

const VERDICTS = ["", "pass", "unchanged", "needs-power-cycle", "needs-button", "fail", "skipped", "interrupted"];
const GROUPS = ["slot", "hub", "fault", "firmware", "drone", "batch"];
const PAGE = 50; // attempts at a time

const [nav, wall, panel] = /** @type {HTMLElement[]} */ ([...document.body.children]);
const answer = el("output"), view = mount(wall, (port) => openSlot(port));
let opened = 0;
let live = () => /** @type {any} */ (null); // what the panel shows changes with the station

// ---- elements: what comes from the station goes in as text only -------------------------------------

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {any[]} children @param {object} [members]
 */
function el(tag, children = [], members = {}) {
	const element = Object.assign(document.createElement(tag), members);

	element.append(...children.map((c) => c instanceof Node ? c : String(c ?? "")));
	return element;
}

/** @param {any} text a time is told in this browser's zone, the same in every language */
function when(text) {
	return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? new Date(text).toLocaleString("sv") : text;
}

/** @param {string[]} heads @param {any[][]} rows */
function table(heads, rows) {
	return el("table", [el("tr", heads.map((h) => el("th", [h]))),
		...rows.map((cells) => el("tr", cells.map((c) => el("td", [when(c)]))))]);
}

/** @param {Row} members those that say something are shown by their names */
function facts(members) {
	/** @type {(v: any) => string} */
	const value = (v) => Array.isArray(v) ? v.map(value).join("\n") : typeof v === "boolean" ? (v ? "yes" : "no") :
		v && typeof v === "object" ? v.text ?? Object.values(v).map(value).join(" ") : when(v);

	return el("dl", Object.entries(members).filter(([, v]) => v !== null && v !== "" && v?.length !== 0)
		.flatMap(([name, v]) => [el("dt", [name.replaceAll("_", " ")]), el("dd", [value(v)])]));
}

/** @param {() => Promise<string | void>} work what it answers is shown, or why it does not */
async function act(work) {
	answer.textContent = "…";
	try {
		answer.textContent = await work() || "";
		answer.className = "";
	} catch (/** @type {any} */ why) {
		answer.textContent = why.message;
		answer.className = "bad";
	}
}

/** @param {string} text @param {() => Promise<string | void>} work */
const button = (text, work) => el("button", [text], { onclick: () => act(work) });

const input = (type = "text") => el("input", [], { type, min: 1 });
/** @param {string[]} values */
const choice = (values) => el("select", values.map((v) => el("option", [v || "any"], { value: v })));

/**
 * @param {Record<string, HTMLInputElement | HTMLSelectElement>} inputs by the parameters they give
 * @param {string} text of its button
 * @param {(values: Row) => Promise<string | void>} work
 */
function form(inputs, text, work) {
	const all = Object.entries(inputs), value = (/** @type {any} */ i) =>
		i.type === "number" ? i.valueAsNumber : i.type === "file" ? i.files[0] : i.value;

	return el("form", [...all.map(([name, i]) => el("label", [name.replaceAll("_", " "), i])), el("button", [text])],
		{ onsubmit: (/** @type {Event} */ event) => {
			event.preventDefault();
			act(() => work(Object.fromEntries(all.map(([name, i]) => [name, value(i)]))));
		} });
}

/** @param {string} title @param {() => Promise<any[]>} fill */
async function open(title, fill) {
	const mine = ++opened, content = await fill();

	if (mine !== opened)
		return;
	live = () => null;
	panel.replaceChildren(el("header", [el("h2", [title]), button("Close", async () => {
		opened++;
		panel.hidden = true;
	})]), ...content.map((c) => c instanceof Node ? c : el("p", [c])));
	panel.hidden = false;
	scrollTo(0, 0); // a phone has it above the wall
}

// ---- what the panel shows ---------------------------------------------------------------------------

/** @param {Row[]} attempts */
const attemptTable = (attempts) => table(["attempt", "began", "slot", "drone", "from", "to", "ending", "what happened"],
	attempts.map((a) => [button(a.id, () => openAttempt(a.id)), a.started_at, a.label ?? a.port,
		a.serial ?? a.dfu_serial, a.version_before, a.version_after ?? a.firmware_version, a.verdict ?? "running",
		a.message]));

/** @param {number} id */
const openAttempt = (id) => open(`Attempt ${id}`, async () => {
	const { attempt, stages } = await call("GetAttempt", { id });

	return [table(["stage", "ms"], stages.map(Object.values)), facts(attempt)];
});

/** @param {object} parameters */
async function retry(parameters) {
	const { queued, names = queued, note, refused = [] } = await call("Retry", parameters);

	return [names.length ? `Again: ${names.join(", ")}.` : "", note, ...refused].filter(Boolean).join(" ") ||
		"No drone has failed.";
}

/** @param {string} port */
const openSlot = (port) => act(async () => {
	const slot = () => /** @type {any} */ (view.state().slots.get(port) ?? { port }), now = el("div"), targets = [port];

	await open(label(slot()), async () => [now, el("p", [
		button("Retry", () => retry({ targets })), button("Retry by force", () => retry({ targets, force: true })),
		button("Release", async () => {
			const { released, names = released } = await call("ReleasePort", { target: port });

			return `Released: ${names.join(", ") || "nothing was held"}.`;
		}),
		button("Show its light", async () => {
			const { names, refused } = await call("Identify", { targets });

			return [...names.map((/** @type {string} */ n) => `${n} shows its light.`), ...refused].join(" ");
		}),
		button("Plan", () => openPlan({ target: port }))]),
	attemptTable((await call("GetHistory", { slot: port, limit: 10 })).attempts)]);
	/** @type {any} */
	let shown; // WHY: what is the same stays, as a text of it may be selected
	live = () => shown !== slot() && now.replaceChildren(facts({ todo: "", message: "", remaining: "", ...shown = slot() }));
	live();
});

/** @param {Row} question with: what would happen if it were selected */
const openPlan = (question) => open(question.with ? `Plan with ${question.with}` : "Plan", async () => {
	const { plans } = await call("Plan", question);
	const list = table(["slot", "what", "has", "gets", "why"], plans.map((/** @type {Row} */ p) =>
		[p.label ?? p.port, p.action, p.version_before, p.version_wanted ?? p.firmware, p.reason]));

	return !question.with ? [list] : ["Nothing is touched yet. This is what each drone would get:", list,
		firmwareButton(`Select ${question.with}`, "SelectFirmware", { name: question.with })];
});

/** @param {string} text @param {string} method @param {Row} parameters */
const firmwareButton = (text, method, parameters) => button(text, async () => {
	const { notes, paused } = await call(method, parameters);

	await openFirmware();
	return notes?.join(" ") ?? `Drones get it again${paused ? "; the station is still paused" : ""}.`;
});

const openFirmware = () => open("Firmware", async () => {
	const { firmware } = await call("ListFirmware");

	return [table(["", "name", "version", "for", "selected for", ""], firmware.map((/** @type {Row} */ f) =>
		[f.quarantined ? firmwareButton("Release", "ReleaseFirmware", { name: f.name }) :
			button("Select…", () => openPlan({ with: f.name })), f.name, f.version, f.platforms.join(", "),
		[...f.selected_for, ...f.own ?? []].join(", "), f.problem ?? f.quarantined_why])),
	firmwareButton("Select none", "DeselectFirmware", {}),
	form({ file: input("file"), name: input() }, "Add", async ({ file, name }) => {
		if (!file)
			return "Choose a file first: a release, .bin, .dfu, .hex or .srec.";
		const words = ["--json", "firmware", "add", `--source=${file.name}`, ...name ? [`--name=${name}`] : [], "-"];
		const said = JSON.parse(await run(words, file));

		await openFirmware();
		return `Stored as "${said.firmware.name}".`;
	})];
});

const openHistory = () => open("History", async () => {
	const list = el("div");
	/** @type {(asked: Row, before?: number) => Promise<void>} */
	const page = async (asked, before) => {
		const { attempts, next } = await call("GetHistory", { ...asked, limit: PAGE, before });
		const more = button("More", async () => {
			more.remove();
			await page(asked, next);
		});

		if (!before)
			list.replaceChildren();
		list.append(attemptTable(attempts), ...next ? [more] : []);
	};

	await page({});
	return [form({ slot: input(), serial: input(), batch: input(), verdict: choice(VERDICTS) }, "Show", page), list];
});

/** @param {number} part of one */
const percent = (part) => `${Math.round(100 * part)} %`;

/** @param {Row} asked @returns {Promise<void>} */
const openYield = (asked) => open("Yield", async () => {
	const { total, groups, findings, more } = await call("Stats", asked), by = choice(GROUPS), batch = input();
	/** @param {Row} g */
	const line = (g) => [g.name ?? g.key, ...g.first ? [percent(g.first_good / g.first),
		`${percent(g.low)} to ${percent(g.high)} of ${g.first}`] : ["", ""], g.drones, g.attempts, g.failed,
	g.faults?.map((/** @type {Row} */ f) => `${f.fault} ${f.count}`).join(", ")];

	by.value = asked.by ?? "slot";
	batch.value = asked.batch ?? "";
	return [form({ by, batch }, "Show", openYield), ...findings.map((/** @type {Row} */ f) => f.text),
		table([by.value, "first pass", "within (95 %)", "drones", "attempts", "failed", "faults"],
			[...groups.map(line), line({ ...total, name: "all" })]), more ? "Others are not shown: they are better." : "",
		table(["stage", "times", "median ms", "95 % ms", "99 % ms"], (total.stages ?? []).map(Object.values))];
});

/** @param {string} name @param {string} form */
async function report(name, form) {
	const text = await run(["batch", "report", `--${form}`, "--", name]);

	el("a", [], { href: URL.createObjectURL(new Blob([text])), download: `${name}.${form}` }).click();
	return `Saved: ${name}.${form}.`;
}

/** @param {string} name */
const openBatch = (name) => open(`Batch ${name}`, async () => [facts((await call("GetBatch", { name })).batch),
	el("p", [...["html", "csv", "json"].map((f) => button(`Report: ${f}`, () => report(name, f))),
		button("Yield", () => openYield({ batch: name }))])]);

const openBatches = () => open("Batches", async () => {
	const { batches } = await call("ListBatches");

	return [table(["name", "began", "ended", "good", "of", "failed", "ready", "stopped"], batches.map(
		(/** @type {Row} */ b) => [button(b.name, () => openBatch(b.name)), b.started_at, b.ended_at ?? "runs",
			b.good, b.expect ?? b.drones, b.failed, b.ready, b.stopped])),
	form({ name: input(), expect: input("number"), canary: input("number"), stop_after: input("number") }, "Start",
		async (asked) => {
			await call("StartBatch", asked);
			await openBatches();
			return `The batch ${asked.name} has begun.`;
		}),
	button("End the batch", async () => {
		const { batch } = await call("EndBatch");

		await openBatch(batch.name);
		return `The batch ${batch.name} has ended: ${batch.good} of ${batch.expect ?? batch.drones} good.`;
	})];
});

// ---- the bar, and the station -----------------------------------------------------------------------

const lever = button("Pause", async () => {
	const paused = view.state().station?.state === "paused", { active, brake } = await call(paused ? "Resume" : "Pause");

	return !paused ? `Paused: no drone is started; ${active} still at work.` :
		`Resumed.${brake ? ` ${brake.firmware} stays set aside until it is released.` : ""}`;
});

nav.append(button("Firmware", openFirmware), lever, button("Retry failed", () => retry({ failed: true })),
	button("Plan", () => openPlan({})), button("History", openHistory), button("Yield", () => openYield({})),
	button("Batches", openBatches), answer);
watch((reply) => {
	lever.textContent = reply.station.state === "paused" ? "Resume" : "Pause";
	view.hear(reply);
	live();
}, view.lose);
