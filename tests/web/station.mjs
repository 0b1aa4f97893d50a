// SPDX-License-Identifier: MIT
// A whole station in a directory of its own: cfdfud-sim, the simulated rack, cfdfu-web before it.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.mjs";

const execute = promisify(execFile);
export const PAGE = join(dirname(new URL(import.meta.url).pathname), "../../client/web/page");

export async function freePort() {
	const server = createServer();
	const port = await new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

	await new Promise((done) => server.close(done));
	return port;
}

export async function makeStation(conf, timing = "typical") {
	const folder = mkdtempSync(join(tmpdir(), "cfdfu-web.")), at = (name) => join(folder, name);
	const log = openSync(at("log"), "a"), port = await freePort(), running = new Map();
	const env = { ...process.env, CFDFU_SOCKET: at("control"), CFDFU_SIM_SOCKET: at("rack"), CFDFU_SIM_TIMING: timing };
	const run = async (program, ...args) => (await execute(program, args, { env })).stdout;

	function start(program, ...args) {
		const child = spawn(program, args, { env, stdio: ["ignore", log, log] });

		running.set(program, { child, over: new Promise((done) => child.on("exit", done)) });
	}
	async function stop(program, signal = "SIGKILL") {
		const { child, over } = running.get(program);

		running.delete(program);
		child.kill(signal);
		await over;
	}
	writeFileSync(at("conf"), conf);
	const s = {
		folder, at, env, url: `http://127.0.0.1:${port}/`,
		ctl: (...args) => run("cfdfuctl", ...args),
		rack: (...words) => run("rack", "--socket", at("rack"), "--do", words.join(" ")),
		status: async () => JSON.parse(await s.ctl("--json", "status").catch((e) => e.stdout || "null")),
		startDaemon: async () => {
			start("cfdfud-sim", "--config", at("conf"), "--state", at("state"), "--socket", at("control"));
			await until(() => s.status(), "the station answers");
		},
		stopDaemon: (signal) => stop("cfdfud-sim", signal),
		startWeb: async () => {
			start("cfdfu-web", "--listen", `127.0.0.1:${port}`, "--files", PAGE, "--socket", at("control"));
			await until(() => fetch(s.url).then((answer) => answer.ok, () => false), "the web server answers");
		},
		stopWeb: (signal) => stop("cfdfu-web", signal),
		image: async (tag) => {
			await run("mkimage", "--seed", String(tag.replace(/\D/g, "")), "--size", "61440", "--tag", tag, at(`${tag}.bin`));
			return at(`${tag}.bin`);
		},
		plug: async (slot, image, ...keys) => { // with an image in its flash
			await s.rack("add", slot, ...keys);
			await s.rack("load", slot, image, "0x08004000");
			await s.rack("plug", slot);
		},
		plugHeld: async (slot, image, ...keys) => { // in the middle of being written, until it is mended
			await s.rack("add", slot, ...keys);
			await s.rack("load", slot, image, "0x08004000");
			await s.rack("fate", slot, "slow in=dfu on=data at=20");
			await s.rack("plug", slot);
		},
		end: async () => {
			for (const program of [...running.keys()])
				await stop(program, "SIGTERM");
			rmSync(folder, { recursive: true, force: true, maxRetries: 9 });
		},
	};
	return s;
}
