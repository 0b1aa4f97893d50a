// SPDX-License-Identifier: MIT
// The station through Cockpit: its control socket, opened as the user who is logged in, and the
// client program, where a file has to travel.  Rights are that user's: the station decides.

const { socket, program } = cockpit.manifests.cfdfu.station; // an override file of Cockpit's changes them
const STATION = "org.cfdfu.Station.", ALIVE = "org.varlink.service.GetInfo";
const FIRST_MS = 250, LAST_MS = 4000, BEAT_MS = 5000, SILENCE_MS = 20000;
const LOST = ["disconnected", "terminated", "timeout", "no-session"]; // Cockpit itself

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * @param {{method: string, parameters: object, more?: boolean}} request
 * @param {(reply: any) => void} onReply
 * @param {(problem: string) => void} onClose
 */
function send(request, onReply, onClose) {
	const channel = cockpit.channel({ payload: "stream", unix: socket, binary: true });
	const decoder = new TextDecoder();
	let rest = "";

	channel.addEventListener("message", (_, bytes) => {
		const parts = (rest + decoder.decode(bytes, { stream: true })).split("\0");

		rest = parts.pop() ?? "";
		parts.forEach((part) => onReply(JSON.parse(part)));
	});
	channel.addEventListener("close", (_, how) => onClose(how.problem ?? ""));
	const text = JSON.stringify(request, (_, v) => v === "" || Number.isNaN(v) ? undefined : v); // not given

	channel.send(new TextEncoder().encode(`${text}\0`));
	return channel;
}

/** @param {{error: string, parameters: Record<string, any>}} reply  in words, or as near as it comes */
const refusal = ({ error, parameters }) => new Error(parameters.reason ??
	`${error.replace(/^.*\./, "")}: ${Object.values(parameters).join(", ")}`);

/**
 * @param {string} method
 * @param {object} [parameters]
 * @returns {Promise<Record<string, any>>} rejected with what the station says against it
 */
function ask(method, parameters = {}) {
	return new Promise((resolve, reject) => {
		const channel = send({ method, parameters }, (reply) => {
			resolve(reply.error ? Promise.reject(refusal(reply)) : reply.parameters);
			channel.close();
		}, (problem) => reject(new Error(`The station does not answer (${problem || "closed"}).`)));
	});
}

/** @type {typeof ask} */
export const call = (method, parameters) => ask(STATION + method, parameters);

/** Cockpit's script does not reconnect: the page begins anew when its server answers again. */
async function begin_anew() {
	do
		await pause(1000);
	while (!await fetch(location.href, { cache: "no-store" }).then((r) => r.ok, () => false));
	location.reload();
}

/**
 * Follows the station for ever.
 * @param {(reply: any) => void} onFrame
 * @param {(why: string) => void} onDown
 */
export async function watch(onFrame, onDown) {
	for (let wait = FIRST_MS;; wait = Math.min(2 * wait, LAST_MS)) {
		let heard = Date.now();
		const problem = await new Promise((closed) => {
			const request = { method: `${STATION}Watch`, parameters: {}, more: true };
			const channel = send(request, (reply) => {
				if (reply.error) // there are too many watchers
					return channel.close(refusal(reply).message);
				heard = Date.now();
				wait = FIRST_MS;
				onFrame(reply.parameters);
			}, (why) => {
				clearInterval(timer);
				closed(why);
			});
			// An idle station sends nothing, so it is asked whether it is there.
			const timer = setInterval(() => {
				if (Date.now() - heard > SILENCE_MS)
					channel.close("it says nothing");
				else
					ask(ALIVE).catch(() => 0).then(() => { heard = Date.now(); }); // a refusal is a sign of life
			}, BEAT_MS);
		});

		onDown(problem);
		if (LOST.includes(problem))
			await begin_anew();
		await pause(wait);
	}
}

/**
 * The client program, with a file as its input.
 * @param {string[]} words
 * @param {Blob} [file]
 * @returns {Promise<string>} what it prints
 */
export async function run(words, file = new Blob()) {
	const process = cockpit.spawn([program, "--socket", socket, ...words],
		{ binary: true, err: "message" });

	process.input(new Uint8Array(await file.arrayBuffer())); // in blocks, by Cockpit's script
	try {
		return new TextDecoder().decode(await process);
	} catch (/** @type {any} */ problem) {
		throw problem.message.startsWith("{") ? refusal(JSON.parse(problem.message)) : problem;
	}
}
