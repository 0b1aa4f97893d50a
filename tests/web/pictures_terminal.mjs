// SPDX-License-Identifier: MIT
// What watch and map show of the same racks, as text, in terminals of the sizes that people have; tmux is the terminal.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const SIZES = [[60, 24], [80, 24], [120, 40], [200, 50]];

// A station that says the same to everybody.
function station(path, said) {
	const server = createServer((socket) => {
		socket.on("error", () => undefined);
		socket.on("data", (data) => {
			for (const request of String(data).split("\0").filter(Boolean))
				socket.write(`${JSON.stringify({ parameters: said, continues: JSON.parse(request).more === true })}\0`);
		});
	});

	return new Promise((done) => server.listen(path, () => done(server)));
}

export async function picturesOfTerminals(folder, racks) {
	const own = mkdtempSync(join(tmpdir(), "cfdfu-term.")), socket = join(own, "control");

	for (const [name, reply] of racks) {
		const server = await station(socket, reply);

		for (const command of ["watch", "map"])
			for (const [columns, rows] of SIZES) {
				const file = join(folder, `${command}-${name}-${columns}x${rows}.txt`);
				// WHY one of its own: a server of tmux that ends takes the next one with it.
				const terminal = ["-u", "-S", join(own, `${command}-${name}-${columns}`), "-f", "/dev/null"];
				const tmux = (...args) => String(execFileSync("tmux", [...terminal, ...args]));
				let before = "";

				tmux("new-session", "-d", "-x", columns, "-y", rows,
					`LC_ALL=C.UTF-8 CFDFU_PAGER=cat cfdfuctl --no-color --socket ${socket} ${command}; cat`);
				// Whole, not one that is being drawn: two looks at it agree.
				await until(() => {
					const now = tmux("capture-pane", "-p"), same = now.trim() !== "" && now === before;

					before = now;
					return same;
				}, file);
				writeFileSync(file, before);
				tmux("kill-server");
				console.log(file);
			}
		await new Promise((done) => server.close(done));
	}
	rmSync(own, { recursive: true, force: true });
}
