// SPDX-License-Identifier: MIT
// A headless Chromium over its debugging pipe: NUL-terminated JSON on descriptors 3 and 4.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
	"--disable-background-networking", "--no-first-run", "--hide-scrollbars",
	"--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"];

export async function browser() {
	const home = mkdtempSync(join(tmpdir(), "cfdfu-browser."));
	const child = spawn("chromium", [...FLAGS, `--user-data-dir=${home}`, "about:blank"],
		{ stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
	const waiting = new Map(), listeners = [];
	let next = 1, rest = "";

	child.stdio[4].setEncoding("utf8").on("data", (text) => {
		const parts = (rest + text).split("\0");

		rest = parts.pop();
		for (const part of parts) {
			const message = JSON.parse(part);
			const answer = waiting.get(message.id);

			waiting.delete(message.id);
			if (answer)
				message.error ? answer.reject(new Error(message.error.message)) : answer.resolve(message.result);
			else
				listeners.forEach((tell) => tell(message));
		}
	});
	const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
		waiting.set(next, { resolve, reject });
		child.stdio[3].write(JSON.stringify({ id: next++, method, params, sessionId }) + "\0");
	});
	const open = async (url, width = 1280, height = 720) => {
		const { targetId } = await call("Target.createTarget", { url: "about:blank" });
		const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
		const said = [];
		const ask = (method, params) => call(method, params, sessionId);
		const run = async (expression) => {
			const r = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });

			if (r.exceptionDetails)
				throw new Error(r.exceptionDetails.exception?.description ?? r.exceptionDetails.text);
			return r.result.value;
		};

		listeners.push((m) => m.sessionId === sessionId && /exceptionThrown|consoleAPICalled|entryAdded/.test(m.method) && said.push(m));
		for (const domain of ["Page", "Runtime", "Log"])
			await ask(`${domain}.enable`);
		await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
		await ask("Page.navigate", { url });
		return { ask, run, said,
			until: (condition) => run(`new Promise((done) => { const look = () => (${condition}) ? done(true) : setTimeout(look, 50); look(); })`),
			picture: async (file) => writeFileSync(file, Buffer.from((await ask("Page.captureScreenshot", {})).data, "base64")) };
	};
	return { open, close: async () => { const over = new Promise((done) => child.on("exit", done)); child.kill(); await over; rmSync(home, { recursive: true, force: true, maxRetries: 9 }); } };
}
