// SPDX-License-Identifier: MIT
// Cockpit without systemd: its web server, and users of its own who log in through PAM.  Needs root.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { browser } from "./driver.mjs";
import { freePort, makeStation, PAGE } from "./station.mjs";
import { until } from "./until.mjs";

const SERVER = "/usr/lib/cockpit/cockpit-ws", SERVANT = "cockpit-wsinstance";
const run = (name, ...words) => execFileSync(name, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

export const lacking = process.getuid() !== 0 ? "only root can make users" :
	existsSync(SERVER) ? "" : "there is no cockpit-ws";

// group: is made, and removed in the end; folder: the homes are there; socket: the station's.
async function makeCockpit(group, folder, socket) {
	const port = await freePort(), users = [], program = run("sh", "-c", "command -v cfdfuctl").trim();
	let server = null;
	const its = {
		url: `http://127.0.0.1:${port}/cockpit/@localhost/cfdfu/index.html`,
		// A user with the plug-in in its home, and an override that names the socket.
		addUser: (name, password, ...more) => {
			const home = join(folder, name), plugin = join(home, ".local/share/cockpit/cfdfu");

			run("useradd", "--no-create-home", "--home-dir", home, "--shell", "/bin/bash", ...more, name);
			users.push(name);
			execFileSync("chpasswd", { input: `${name}:${password}\n` });
			mkdirSync(join(home, ".config/cockpit"), { recursive: true });
			for (const part of [PAGE, join(PAGE, "../cockpit")])
				cpSync(part, plugin, { recursive: true });
			writeFileSync(join(home, ".config/cockpit/cfdfu.override.json"),
				JSON.stringify({ station: { socket, program } }));
			run("chown", "--recursive", name, home);
			chmodSync(home, 0o700);
		},
		start: async () => {
			server = spawn("setpriv", ["--reuid", SERVANT, "--regid", SERVANT, "--clear-groups", SERVER, "--no-tls",
				"--address", "127.0.0.1", "--port", String(port)],
			{ stdio: "ignore", env: { ...process.env, XDG_CONFIG_DIRS: join(folder, "none") } });
			await until(() => fetch(its.url).then((r) => r.ok, () => false), "Cockpit answers");
		},
		stop: async (signal) => {
			const over = new Promise((done) => server.on("exit", done));

			server.kill(signal);
			await over;
		},
		end: async () => {
			if (server)
				await its.stop();
			for (const name of users.splice(0)) {
				await until(() => {
					try {
						run("pkill", "-KILL", "-u", name);
						return false; // there was one: look again
					} catch {
						return true;
					}
				}, `the programs of ${name} end`);
				run("userdel", name);
			}
			run("groupdel", group);
		},
	};

	run("groupadd", group);
	return its;
}

// A station, Cockpit before it, a browser, and two users: may, of the station's group, and look, not of it.
export async function makeDesk(conf) {
	const [group, may, look] = ["t", "may", "look"].map((name) => `cfdfu-${name}${process.pid}`);
	const station = await makeStation(`[station]\ngroup = ${group}\nbrake = 2\n${conf}`, "fast"), password = "Correct horse 7";
	const cockpit = await makeCockpit(group, station.folder, station.at("control"));
	const desk = {
		station, cockpit, group, may, look, password,
		startDaemon: async () => {
			await station.startDaemon();
			chmodSync(station.at("control"), 0o666); // as its socket unit has it
		},
		logIn: async (page, name, word = password) => {
			await page.until(`document.getElementById("login-button")?.offsetParent`);
			await page.run(`document.getElementById("login-user-input").value = ${JSON.stringify(name)};
				document.getElementById("login-password-input").value = ${JSON.stringify(word)};
				document.getElementById("login-button").click()`);
		},
		end: async () => {
			await desk.chromium?.close().catch(() => {});
			await cockpit.end();
			await station.end();
		},
	};

	process.on("SIGTERM", () => desk.end().finally(() => process.exit(1))); // users are not left behind
	chmodSync(station.folder, 0o711);
	try {
		cockpit.addUser(may, password, "--groups", group);
		cockpit.addUser(look, password);
		await desk.startDaemon();
		await cockpit.start();
		desk.chromium = await browser();
		return desk;
	} catch (why) {
		await desk.end();
		throw why;
	}
}
