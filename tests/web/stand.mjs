// SPDX-License-Identifier: MIT
// A server that speaks as cfdfu-web does, with replies that a test makes up: files of FOLDER, and
// /watch, a stream of events.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function stand(folder) {
	const watchers = new Set();
	let last = null, refusal = null, mute = false;
	const server = createServer((request, response) => {
		const name = request.url === "/" ? "index.html" : request.url.slice(1);

		if (name === "watch" && refusal) {
			response.writeHead(503, { "Content-Type": "text/plain" }).end(refusal);
		} else if (name === "watch") {
			response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
			watchers.add(response);
			response.on("close", () => watchers.delete(response));
			response.write(mute ? ": hello\n\n" : `data: ${last}\n\n`);
		} else if (/^[a-z-]+\.(html|js|css)$/.test(name)) {
			response.writeHead(200, { "Content-Type": TYPES[name.split(".")[1]], "Content-Security-Policy": POLICY });
			response.end(readFileSync(join(folder, name)));
		} else {
			response.writeHead(404).end();
		}
	});
	const listen = (port) => new Promise((done) => server.listen(port, "127.0.0.1", () => done(server.address().port)));
	const port = await listen(0);

	return {
		url: `http://127.0.0.1:${port}/`,
		say(reply) { // to all watchers, and to each that comes, whole
			last = JSON.stringify(reply);
			watchers.forEach((w) => w.write(`data: ${last}\n\n`));
		},
		refuse(text) { refusal = text; watchers.forEach((w) => w.destroy()); },
		beat() { watchers.forEach((w) => w.write("event: beat\ndata: {}\n\n")); },
		mute() { mute = true; }, // to those that come
		welcome() { refusal = null; mute = false; },
		stop: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
		start: () => listen(port),
	};
}
