// SPDX-License-Identifier: MIT
// The desk: Cockpit's real login, a real browser, the real daemon's code on simulated drones.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { lacking, makeDesk } from "./cockpit.mjs";
import { until } from "./until.mjs";

const skip = lacking || false;
const SLOTS = "[slots]\n1-1 = A1\n1-2 = A2\n1-3 = B1\n1-4 = B2\n";
const HOSTILE = "<img src=x onerror=window.hit=1>";
let desk, page, station, old;

// ---- a hand and an eye ------------------------------------------------------------------------------

const text = (of, selector) => of.run(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);

async function reads(of, selector, pattern) {
	let said = "";
	const look = async () => pattern.test(said = await text(of, selector).catch(() => ""));

	await until(look, pattern).catch((why) => { throw new Error(`${why.message}; it says: ${said}`); });
}

const says = (of, pattern) => reads(of, "nav output", pattern);
const panel = (of, pattern) => reads(of, "aside:not([hidden])", pattern);
const tile = (of, port, word) => reads(of, `[data-port="${port}"] .word`, new RegExp(`^${word}$`));

// A button with this text that can be seen.
async function press(of, label, where = "nav") {
	const found = `[...document.querySelectorAll(${JSON.stringify(`${where} button`)})]
		.find((b) => b.innerText === ${JSON.stringify(label)} && b.offsetParent)`;

	await of.until(`((b) => b && (b.click(), true))(${found})`, `a button "${label}"`);
}

async function openTile(of, port, label) {
	await of.run(`document.querySelector('[data-port="${port}"]').click()`);
	await reads(of, "aside h2", new RegExp(`^${label}$`));
}

async function fill(of, label, value) {
	const found = `[...document.querySelectorAll("aside label")].find((l) => l.firstChild.textContent === ${JSON.stringify(label)})`;

	await of.until(found);
	await of.run(`${found}.lastChild.value = ${JSON.stringify(value)}`);
}

async function choose(of, file) {
	const { result } = await of.ask("Runtime.evaluate", { expression: `document.querySelector("aside input[type=file]")` });

	await of.ask("DOM.setFileInputFiles", { files: [file], objectId: result.objectId });
}

const live = `document.querySelector(".tile") && !document.querySelector(".down")`;
const slot = async (port) => (await station.status()).slots.find((s) => s.port === port);

// A drone with some misfortune.
async function plugWith(port, fate, ...keys) {
	await station.rack("add", port, ...keys);
	await station.rack("load", port, old, "0x08004000");
	await station.rack("fate", port, fate);
	await station.rack("plug", port);
}

before(async () => {
	if (skip)
		return;
	desk = await makeDesk(SLOTS);
	station = desk.station;
	old = await station.image("2025.02");
	page = await desk.chromium.open(desk.cockpit.url, { width: 1600, height: 900 });
});

after(() => desk?.end());

// ---- in this order: each goes on where the one before it has left the station -----------------------

test("a wrong password is refused", { skip }, async () => {
	await desk.logIn(page, desk.may, "wrong");
	await reads(page, "#login-error-message", /wrong|fail/i);
});

test("who logs in sees the rack", { skip }, async () => {
	await station.plug("1-1", old, "uid=110041000A51353432343630");
	await desk.logIn(page, desk.may);
	await tile(page, "1-1", "NO FW");
	assert.equal(await text(page, ".tile .label"), "A1");
});

test("a file that is no firmware is refused in the station's words", { skip }, async () => {
	writeFileSync(station.at("bad.bin"), Buffer.alloc(70000, "0102fe00", "hex"));
	await press(page, "Firmware");
	await panel(page, /Select none/);
	await choose(page, station.at("bad.bin"));
	await press(page, "Add", "aside");
	await says(page, /initial stack pointer/);
	assert.deepEqual(JSON.parse(await station.ctl("--json", "firmware", "list")).firmware, []);
});

test("a file is uploaded whole", { skip }, async () => {
	await choose(page, await station.image("2025.12"));
	await fill(page, "name", "new");
	await press(page, "Add", "aside");
	await says(page, /Stored as "new"/);
	const { firmware } = JSON.parse(await station.ctl("--json", "firmware", "show", "new"));

	assert.deepEqual([firmware.source_name, firmware.version], ["2025.12.bin", "2025.12"]);
});

test("before it is selected the plan is shown, and nothing touched", { skip }, async () => {
	await press(page, "Select…", "aside");
	await panel(page, /A1\s+flash\s+2025\.02\s+2025\.12/);
	assert.deepEqual((await station.status()).station.selected, []);
	assert.equal((await slot("1-1")).attempt, null);
});

test("what is selected is flashed", { skip }, async () => {
	await press(page, "Select new", "aside");
	await tile(page, "1-1", "PASS");
	assert.equal((await slot("1-1")).verdict, "pass");
});

test("paused, no drone is started; resumed, it is", { skip }, async () => {
	await press(page, "Pause");
	await says(page, /^Paused/);
	await station.plug("1-2", old);
	await tile(page, "1-2", "WAIT");
	assert.equal(await text(page, ".state"), "PAUSED");
	await press(page, "Resume");
	await tile(page, "1-2", "PASS");
});

test("a drone that is right is written again by force", { skip }, async () => {
	const { attempt } = await slot("1-1");

	await openTile(page, "1-1", "A1");
	await panel(page, /110041000A51353432343630/);
	await press(page, "Retry by force", "aside");
	await says(page, /^Again: A1/);
	await until(async () => { const s = await slot("1-1"); return s.attempt > attempt && s.verdict === "pass"; }, "it passes again");
	await press(page, "Close", "aside");
	await page.until(`document.querySelector("aside").hidden`);
});

test("failed drones are retried, and one that is held is released", { skip }, async () => {
	await plugWith("1-3", "status at=15 on=data count=1000");
	await tile(page, "1-3", "FAIL");
	for (let n = 2; n <= 3; n++) {
		const { attempt } = await slot("1-3");

		await press(page, "Retry failed");
		await until(async () => { const s = await slot("1-3"); return s.attempt > attempt && s.verdict === "fail"; }, "it fails again");
	}
	await tile(page, "1-3", "HELD");
	await station.rack("mend", "1-3");
	await press(page, "Retry failed");
	await says(page, /B1 \(1-3\).*(aside|quarantine)/);
	await openTile(page, "1-3", "B1");
	await press(page, "Release", "aside");
	await says(page, /^Released: B1 \(1-3\)/);
	await tile(page, "1-3", "PASS");
});

test("the history shows attempts by their ending, each with its stages", { skip }, async () => {
	await press(page, "History");
	await panel(page, /^History[^]*B1[^]*A1/);
	await fill(page, "verdict", "fail");
	await press(page, "Show", "aside");
	await page.until(`document.querySelectorAll("aside tr").length === 4`, "only the three failures are left");
	await page.run(`document.querySelector("aside td button").click()`);
	await panel(page, /writing\s+\d+/);
	await panel(page, /verdict\s+fail/);
});

test("a batch is begun, looked at, reported and ended", { skip }, async () => {
	await page.ask("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: station.folder });
	await press(page, "Batches");
	await fill(page, "name", "spring 1");
	await fill(page, "expect", "3");
	await fill(page, "stop after", "2");
	await press(page, "Start", "aside");
	await says(page, /^The batch spring 1 has begun/);
	await reads(page, ".foot", /spring 1/);
	await fill(page, "name", "spring 2");
	await press(page, "Start", "aside");
	await says(page, /^A batch runs/);
	await openTile(page, "1-1", "A1");
	await press(page, "Retry by force", "aside");
	await until(async () => (await station.status()).station.batch.good === 1, "it passes in the batch");
	// The check-up adds to the row: whether it is ready comes last.
	await until(async () => JSON.parse(await station.ctl("--json", "history", "--batch", "spring 1")).attempts
		[0]?.ready, "all is known of it");
	await press(page, "Batches");
	await press(page, "spring 1", "aside");
	await panel(page, /expect\s+3[^]*good\s+1/);
	for (const form of ["html", "csv", "json"]) {
		await press(page, `Report: ${form}`, "aside");
		await says(page, new RegExp(`^Saved: spring 1.${form}`));
		await until(() => existsSync(station.at(`spring 1.${form}`)), `the ${form} is there`);
	}
	assert.match(readFileSync(station.at("spring 1.html"), "utf8"), /^<!DOCTYPE html>[^]*Batch spring 1/);
	assert.equal(readFileSync(station.at("spring 1.csv"), "utf8"), await station.ctl("batch", "report", "--csv", "spring 1"));
	assert.equal(JSON.parse(readFileSync(station.at("spring 1.json"), "utf8")).batch.good, 1);
	await press(page, "Batches");
	await press(page, "End the batch", "aside");
	await says(page, /^The batch spring 1 has ended: 1 of 3 good/);
	assert.equal((await station.status()).station.batch, null);
});

test("the yield tells of slots, and of stages, as the station counts them", { skip }, async () => {
	await press(page, "Yield");
	await panel(page, /first pass/);
	const { groups } = JSON.parse(await station.ctl("--json", "stats", "--by", "slot")), bad = groups.find((g) => g.key === "1-3");

	await panel(page, new RegExp(`B1\\s+${Math.round(100 * bad.first_good / bad.first)} %\\s`));
	await panel(page, /writing\s+\d+\s+\d+/);
	await fill(page, "by", "fault");
	await press(page, "Show", "aside");
	await panel(page, /fault\s+first pass/);
});

test("a firmware that did harm is said to be set aside; resumed, and released, drones get it again", { skip }, async () => {
	await station.ctl("firmware", "add", await station.image("2026.01"), "--name", "bad");
	await station.ctl("firmware", "select", "bad");
	for (const port of ["1-5", "1-6"])
		await plugWith(port, "leave-nothing", `uid=66000${port.slice(2)}000A51353432343630`);
	await reads(page, ".state", /^PAUSED$/);
	await reads(page, ".advice .remark", /bad/);
	await press(page, "Resume");
	await says(page, /^Resumed\. bad stays set aside/);
	await press(page, "Firmware");
	await press(page, "Release", "aside");
	await says(page, /^Drones get it again\.$/);
	assert.equal(JSON.parse(await station.ctl("--json", "firmware", "show", "bad")).firmware.quarantined, false);
	await station.ctl("firmware", "select", "new");
});

test("what is hostile is shown as text", { skip }, async () => {
	await station.ctl("firmware", "add", old, "--name", HOSTILE);
	await plugWith("1-4", "hostile-strings count=1000");
	await until(async () => (await slot("1-4"))?.present, "the drone is seen");
	await press(page, "Firmware");
	await panel(page, /<img src=x onerror/);
	await press(page, "History");
	await panel(page, /^History/);
	await openTile(page, "1-4", "B2");
	assert.deepEqual(await page.run("[document.images.length, typeof hit]"), [0, "undefined"]);
});

test("who is not of the group sees all, and is refused in the station's words", { skip }, async (t) => {
	const other = await desk.chromium.open("about:blank");

	t.after(() => other.close());
	await other.ask("Network.clearBrowserCookies"); // one browser has one session; the open page keeps its own
	await other.ask("Page.navigate", { url: desk.cockpit.url });
	await desk.logIn(other, desk.look);
	await tile(other, "1-1", "PASS");
	for (const lever of ["Pause", "Retry failed"]) {
		await other.run(`document.querySelector("output").textContent = ""`);
		await press(other, lever);
		await says(other, new RegExp(`only root and members of the group ${desk.group} may`));
	}
	await press(other, "Firmware");
	await panel(other, /^Firmware/);
	await choose(other, old);
	await press(other, "Add", "aside");
	await says(other, new RegExp(`members of the group ${desk.group} may`));
	assert.equal((await station.status()).station.state, "armed");
});

test("nothing is said on the console, nor against the page's policy", { skip }, () => {
	const ofLogin = /cockpit\/(static\/)?login|autocomplete attributes|Autofocus processing/;

	assert.deepEqual(page.said.map((s) => s.text.slice(0, 1000)).filter((said) => !ofLogin.test(said)), []);
});

test("the daemon killed: the page says so; started: it goes on by itself", { skip }, async () => {
	await page.run("window.same = true");
	await station.stopDaemon("SIGKILL");
	await reads(page, ".down .box", /NO CONNECTION TO THE STATION since/);
	await press(page, "Pause");
	await says(page, /^The station does not answer/);
	await desk.startDaemon();
	await page.until(live);
	assert.equal(await page.run("window.same"), true);
});

test("Cockpit killed: the page says so; started: it asks for the login, and goes on", { skip }, async () => {
	await desk.cockpit.stop("SIGKILL");
	await reads(page, ".down .box", /NO CONNECTION TO THE STATION since/);
	await desk.cockpit.start();
	await desk.logIn(page, desk.may);
	await page.until(live);
});
