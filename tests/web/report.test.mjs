// SPDX-License-Identifier: MIT
// The page of a batch's report in a real browser: on the screen and on paper.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { browser } from "./driver.mjs";
import { HOSTILE, withReport } from "./report.mjs";

let chromium;

before(async () => { chromium = await browser(); });
after(() => chromium.close());

const report = (use, size) => withReport(async (url) => {
	const page = await chromium.open(url, size);

	await page.until("document.readyState === 'complete'");
	try {
		return await use(page);
	} finally {
		await page.close();
	}
});

test("hostile texts stand there as texts; the page loads nothing and runs nothing", () => report(async (page) => {
	const text = await page.run("document.body.innerText");

	assert.equal(await page.run("document.title"), "Batch spring");
	assert.equal(await page.run("document.querySelectorAll('script, img, link, iframe, [onerror], [onclick]').length"), 0);
	for (const hostile of HOSTILE)
		assert.ok(text.includes(hostile.replace("\u202e", "?")), hostile);
	assert.deepEqual(page.said, []);
}));

test("a row a drone, those that failed first; bars as long as their figures", () => report(async (page) => {
	const rows = await page.run("[...document.querySelectorAll('.all tbody tr')].map((r) => [r.className, r.cells[3].innerText])");

	assert.equal(rows.length, 25);
	assert.deepEqual(rows.slice(0, 4).map(([name]) => name), ["bad", "bad", "bad", "good"]);
	assert.ok(rows.every(([name, result]) => result.startsWith(name === "bad" ? "\u2716 fail" : "\u2714 ")));
	const bars = await page.run(`Object.fromEntries([...document.querySelectorAll("svg")].map((s) =>
		[s.closest("tr").cells[0].innerText, [...s.querySelectorAll("rect")].map((r) => Math.round(r.getBoundingClientRect().width))]))`);

	assert.deepEqual(bars["B3 (1-2.3)"], [200, 100]);
	assert.deepEqual(bars["B4 (1-2.4)"], [200, 50]);
	assert.equal(bars["A1 (1-1.1)"], undefined); // nothing failed there
	assert.deepEqual(bars.writing, [200, 154]);
	assert.deepEqual(bars.asking, [3, 3]);
}));

test("it fits a phone, and two or three sheets of A4", async () => {
	assert.equal(await report((page) => page.run("document.documentElement.scrollWidth"), { width: 390, height: 844 }), 390);
	const pdf = await report((page) => page.ask("Page.printToPDF", { preferCSSPageSize: true }));
	const bytes = Buffer.from(pdf.data, "base64").toString("latin1");

	assert.match(bytes, /\/MediaBox ?\[0 0 594\.\d+ 841\.\d+\]/);
	assert.match(bytes, /\/Count [23]\b/); // by the fonts that there are
});
