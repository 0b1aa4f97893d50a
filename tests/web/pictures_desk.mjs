// SPDX-License-Identifier: MIT
// Pictures of the desk, behind Cockpit: a rack of 16 in a batch, two of them with a bad cable.
import { join } from "node:path";
import { makeDesk } from "./cockpit.mjs";

const PORTS = [...Array(16).keys()].map((i) => [`1-${1 + (i >> 2)}.${1 + i % 4}`, `${"ABCD"[i >> 2]}${1 + i % 4}`]);

async function fillRack(station) {
	const old = await station.image("2025.02");

	await station.ctl("firmware", "add", await station.image("2025.12"), "--name", "cf2-2025.12");
	await station.ctl("firmware", "select", "cf2-2025.12");
	await station.ctl("batch", "start", "spring", "--expect", "18");
	for (const [i, [port]] of PORTS.entries()) {
		await station.rack("add", port, `address=E7E7E7E7${16 + i}`);
		await station.rack("load", port, old, "0x08004000");
		if (i % 7 === 3)
			await station.rack("fate", port, "status at=15 on=data count=1000");
		await station.rack("plug", port);
	}
}

export async function picturesOfDesk(folder, phone) {
	const desk = await makeDesk(`[slots]\n${PORTS.map((p) => p.join(" = ")).join("\n")}\n`);

	async function look(size, views) {
		const page = await desk.chromium.open(desk.cockpit.url, size);

		if (size !== phone) // one browser has one session
			await desk.logIn(page, desk.may);
		await page.until(`document.querySelector(".state")?.innerText === "READY"`);
		for (const [name, title, selector, text] of views) {
			await page.run(`[...document.querySelectorAll('${selector}')].find((b) => b.innerText.includes("${text}")).click()`);
			await page.until(`document.querySelector("aside h2")?.innerText === "${title}"`);
			await page.save(join(folder, `${name}.png`));
			console.log(join(folder, `${name}.png`));
		}
	}
	try {
		await fillRack(desk.station);
		await look({ width: 1600, height: 900 }, [["desk-slot", "A4", ".tile", "A4"], ["desk-firmware", "Firmware", "button", "Firmware"],
			["desk-plan", "Plan", "nav button", "Plan"], ["desk-history", "History", "button", "History"],
			["desk-yield", "Yield", "button", "Yield"], ["desk-batches", "Batches", "button", "Batches"],
			["desk-batch", "Batch spring", "button", "spring"]]);
		await look(phone, [["desk-phone", "A4", ".tile", "A4"]]);
	} finally {
		await desk.end();
	}
}
