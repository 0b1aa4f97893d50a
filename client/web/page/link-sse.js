// SPDX-License-Identifier: MIT
// The wall's connection to cfdfu-web: a stream of events, taken up again whenever it breaks.
import { mount } from "./view.js";

const SILENCE_MS = 20000; // the server says something at least every 15 s
const RETRY_MS = { first: 250, most: 1000 };

const page = mount(document.body);
let retry = RETRY_MS.first;

/** @param {string} text  one event of the stream: a reply, or a beat */
function hear(text) {
	if (!text.startsWith("data: "))
		return;
	page.hear(JSON.parse(text.slice(6)));
	retry = RETRY_MS.first;
}

/** Until the stream ends; the reason is thrown. */
async function listen() {
	const stop = new AbortController();
	const dumb = () => stop.abort(new Error("it says nothing"));
	let timer = setTimeout(dumb, SILENCE_MS), rest = "";

	try {
		const answer = await fetch("watch", { signal: stop.signal, cache: "no-store" });

		if (!answer.ok || !answer.body)
			throw new Error((await answer.text()).trim() || String(answer.status));
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();

		for (;;) {
			const { value, done } = await reader.read();

			if (done)
				throw new Error("it closed the connection");
			clearTimeout(timer);
			timer = setTimeout(dumb, SILENCE_MS);
			const events = (rest + value).split("\n\n");

			rest = events.pop() ?? "";
			events.forEach(hear);
		}
	} finally {
		clearTimeout(timer);
		stop.abort();
	}
}

for (;;) {
	await listen().catch((error) => {
		// Errors of the browser's own are jargon of its language.
		page.lose(error instanceof TypeError ? "the web server is away" : error.message);
	});
	await new Promise((resolve) => setTimeout(resolve, retry));
	retry = Math.min(2 * retry, RETRY_MS.most);
}
