#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Pictures of the wall, the desk, a report and terminals as people see them: pictures.mjs FOLDER, with the build in PATH
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { lacking } from "./cockpit.mjs";
import { browser } from "./driver.mjs";
import { wall16, wallBatch, wallOf } from "./made.mjs";
import { picturesOfDesk } from "./pictures_desk.mjs";
import { picturesOfTerminals } from "./pictures_terminal.mjs";
import { withReport } from "./report.mjs";
import { stand } from "./stand.mjs";
import { PAGE } from "./station.mjs";

const folder = process.argv[2] ?? "build/pictures";
const phone = { width: 390, height: 844 };
const [chromium, server] = [await browser(), await stand(PAGE)];

mkdirSync(folder, { recursive: true });
for (const [name, reply, size] of [["wall-16", wall16()], ["wall-49", wallOf(7, 7)], ["wall-120", wallOf(10, 12)],
	["wall-batch", wallBatch()], ["wall-phone", wall16(), phone], ["wall-down", wall16()]]) {
	server.welcome();
	server.say(reply);
	const page = await chromium.open(server.url, size);

	await page.until("document.querySelector('.tile')");
	if (name === "wall-down") {
		server.refuse("the station does not answer");
		await page.until("document.querySelector('.box').textContent.includes('does not answer')");
	}
	await page.save(join(folder, `${name}.png`));
	await page.close();
	console.log(join(folder, `${name}.png`));
}
await withReport(async (url) => {
	const page = await chromium.open(url, { width: 1000, height: 1400 });

	await page.until("document.readyState === 'complete'");
	await page.save(join(folder, "report.png"));
	console.log(join(folder, "report.png"));
});
await chromium.close();
await server.stop();
await picturesOfTerminals(folder, [["16", wall16()], ["49", wallOf(7, 7)], ["120", wallOf(10, 12)]]);
if (lacking)
	console.log(`no pictures of the desk: ${lacking}`);
else
	await picturesOfDesk(folder, phone);
