// SPDX-License-Identifier: MIT
// The page of a batch's report as cfdfuctl writes it, of a made-up batch of 25 drones in 16 slots with texts
// that a page must not take for its own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const HOSTILE = ["<script>document.title='mine'</script>", "\"><img src=x onerror=document.title='mine'>", "&lt;b&gt;'\u202e"];
const SUM = "9f3c00aa11bb22cc33dd44ee55ff6677".repeat(2);
const STEPS = { asking: 130, rebooting: 900, comparing: 1200, erasing: 6200, writing: 7700, verifying: 1900, booting: 1400 };

const attempts = Array.from({ length: 25 }, (_, n) => {
	const bad = [6, 19, 22].includes(n), slot = n % 16;

	return { id: 200 - n, port: `1-${(slot >> 2) + 1}.${slot % 4 + 1}`, label: n === 5 ? HOSTILE[1] : "ABCD"[slot >> 2] + (slot % 4 + 1),
		serial: n === 4 ? HOSTILE[0] : `3300${n + 10}000A51353432343630`, verdict: bad ? "fail" : n % 5 ? "pass" : "unchanged",
		version_before: n % 2 ? "2025.02" : "2024.10", version_after: bad ? null : "2026.08", firmware_name: "cf2-2026.08",
		firmware_version: "2026.08", firmware_sha256: SUM, transfers: 410, ready: bad ? "unknown" : n === 3 ? "no" : "yes",
		remaining: n === 3 ? [{ what: "deck", text: "x" }] : [], started_at: "2026-11-30T12:00:01.000Z",
		message: bad ? `Erasing sector 3 came to no end. Unplug it, wait two seconds, plug it in again. ${HOSTILE[2]}` : null };
});
const group = (key, name, n, failed) => ({ key, name, attempts: n, drones: n, first: n, first_good: n - failed, low: 0.1, high: 0.9,
	pass: n - failed, unchanged: 0, failed, skipped: 0, interrupted: 0, faults: [],
	stages: Object.entries(STEPS).map(([step, ms]) => ({ step, count: 25, p50_ms: ms, p95_ms: ms * 1.3 | 0, p99_ms: ms * 2 })) });
const stats = (groups) => ({ total: group("", null, 25, 3), groups, attempts: 25, more: false,
	findings: [{ kind: "slot", key: "1-2.3", name: "B3", text: "Slot B3 (1-2.3) is bad: 2 different drones failed in it." }] });
const answers = {
	GetBatch: () => ({ batch: { name: "spring", started_at: "2026-11-30T12:00:00.000Z", ended_at: "2026-11-30T13:00:00.000Z",
		started_by: "ada", expect: 27, canary: 2, stop_after: 3, drones: 25, good: 22, ready: 21, failed: 3, first_good: 22,
		stopped: null, waits_for: null, missing: [{ text: "No drone was flashed in slot B7 (1-4.3)." }], record_hash: SUM } }),
	GetHistory: () => ({ attempts, next: null }),
	Stats: ({ by }) => stats(by === "slot" ? [group("1-2.3", "B3", 4, 2), group("1-2.4", "B4", 4, 1), group("1-1.1", "A1", 2, 0)]
		: attempts.map((a) => group(a.serial, a.id === 200 ? HOSTILE[1] : null, 1, a.verdict === "fail" ? 1 : 0))),
};

// The address of a file with it, for as long as use() takes.
export async function withReport(use) {
	const folder = mkdtempSync(join(tmpdir(), "cfdfu-report.")), path = join(folder, "control"), file = join(folder, "report.html");
	const server = createServer((c) => {
		let rest = "";

		c.on("data", (bytes) => {
			const parts = (rest + bytes).split("\0");

			rest = parts.pop();
			for (const { method, parameters } of parts.map((p) => JSON.parse(p)))
				c.write(JSON.stringify({ parameters: answers[method.split(".").pop()](parameters ?? {}) }) + "\0");
		});
	});

	await new Promise((done) => server.listen(path, done));
	try {
		const { stdout } = await promisify(execFile)("cfdfuctl", ["--socket", path, "batch", "report", "--html"]);

		writeFileSync(file, stdout);
		return await use(`file://${file}`);
	} finally {
		server.close();
		rmSync(folder, { recursive: true, force: true });
	}
}
