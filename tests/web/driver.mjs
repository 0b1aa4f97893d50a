// SPDX-License-Identifier: MIT
// A headless Chromium over its debugging pipe: NUL-terminated JSON on descriptors 3 and 4.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

// WHY no sandbox: root may not have one.
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
	"--disable-background-networking", "--no-first-run", "--hide-scrollbars",
	"--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"];

export async function browser() {
	const home = mkdtempSync(join(tmpdir(), "cfdfu-browser."));
	const child = spawn("chromium", [...FLAGS, `--user-data-dir=${home}`, "about:blank"],
		{ stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
	const over = new Promise((done) => child.on("exit", done).on("error", done));
	const waiting = new Map(), listeners = [];
	let next = 1, rest = "";

	child.stdio[4].setEncoding("utf8").on("data", (text) => {
		const parts = (rest + text).split("\0");

		rest = parts.pop();
		for (const part of parts) {
			const message = JSON.parse(part);
			const answer = waiting.get(message.id);

			waiting.delete(message.id);
			if (!answer)
				listeners.forEach((tell) => tell(message));
			else if (message.error)
				answer.reject(new Error(message.error.message));
			else
				answer.resolve(message.result);
		}
	});
	child.stdio[3].on("error", () => {}); // the calls that wait are refused when it is over
	over.then(() => waiting.forEach((answer) => answer.reject(new Error("the browser has ended"))));
	const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
		waiting.set(next, { resolve, reject });
		child.stdio[3].write(JSON.stringify({ id: next++, method, params, sessionId }) + "\0");
	});

	// A page of its own; before: a script that runs before its first.
	async function open(url, { width = 1920, height = 1080, before = "" } = {}) {
		const { targetId } = await call("Target.createTarget", { url: "about:blank" });
		const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
		const ask = (method, params) => call(method, params, sessionId);
		const said = []; // on the console, by its scripts and of its policy
		const run = async (expression) => {
			const r = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });

			if (r.exceptionDetails)
				throw new Error(r.exceptionDetails.exception?.description ?? r.exceptionDetails.text);
			return r.result.value;
		};
		const picture = async () => (await ask("Page.captureScreenshot")).data;

		listeners.push(({ method, params, sessionId: of }) => {
			if (of === sessionId && /exceptionThrown|consoleAPICalled|entryAdded/.test(method))
				said.push({ source: params.entry?.source ?? "script", text: JSON.stringify(params) });
		});
		for (const domain of ["Page", "Runtime", "Log"])
			await ask(`${domain}.enable`);
		await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
		await ask("Page.addScriptToEvaluateOnNewDocument", { source: before });
		await ask("Page.navigate", { url });
		return { ask, run, said, picture,
			// A page that is being loaded anew has no conditions for a moment.
			until: (condition, what = condition) => until(() => run(condition).catch(() => false), what),
			save: async (file) => writeFileSync(file, Buffer.from(await picture(), "base64")),
			close: () => call("Target.closeTarget", { targetId }) };
	}

	async function close() {
		child.kill();
		await over;
		// WHY more than once: other processes of it end after it, and write until then.
		await until(() => {
			try {
				return rmSync(home, { recursive: true, force: true }) ?? true;
			} catch {
				return false;
			}
		}, "the browser's files are gone");
	}
	return { open, close };
}
