// SPDX-License-Identifier: MIT
// The page's elements: made once, changed where what they show has changed.  Texts of drones are
// hostile, so each goes in as text, never as markup.
import * as model from "./model.js";

const DENSE = 64; // more slots than that: labels large, words small
const LINES = 4; // of advice

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} name  its class @param {Element} [parent] @param {string} [text]
 */
function make(tag, name, parent, text = "") {
	const element = document.createElement(tag);

	element.className = name;
	element.textContent = text;
	parent?.append(element);
	return element;
}

/** @param {Element} element @param {string} text */
function write(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

/** @param {HTMLElement} element @param {string} name @param {string | number} value */
function set(element, name, value) {
	if (element.style.getPropertyValue(name) !== String(value))
		element.style.setProperty(name, String(value));
}

/** @param {string} port @param {(port: string) => void} [onTile] */
function makeTile(port, onTile) {
	const root = make("div", "tile"), label = make("b", "label", root);
	const sign = make("span", "sign", root), text = make("span", "word", root);
	const name = make("span", "name", root), bar = make("div", "bar", root);

	root.dataset.port = port;
	if (onTile) {
		root.tabIndex = 0;
		root.setAttribute("role", "button");
		root.onclick = () => onTile(port);
		root.onkeydown = ({ key }) => key === "Enter" && onTile(port);
	}
	return { root, label, sign, text, name, bar, slot: /** @type {?model.Slot} */ (null) };
}

/** @param {ReturnType<makeTile>} tile @param {model.Slot} slot */
function showTile(tile, slot) {
	const { word, sign, kind, percent } = model.tile(slot), label = model.label(slot);

	tile.slot = slot;
	tile.root.className = `tile ${kind}${kind === "good" && sign === "!" ? " unready" : ""}`;
	tile.root.title = slot.message ?? "";
	tile.root.setAttribute("aria-label", `${label} ${word}`);
	write(tile.label, label);
	write(tile.sign, sign);
	write(tile.text, word);
	write(tile.name, kind === "empty" ? "" : slot.name ?? "");
	set(tile.label, "--n", Math.min(Math.max(label.length, 3), 12)); // a longer one is cut
	set(tile.text, "--n", Math.max(word.length, 4));
	set(tile.bar, "width", `${percent ?? 0}%`);
}

/** @param {string} tune  "good": two tones that rise; "hand": three low ones @param {AudioContext} audio */
function play(tune, audio) {
	(tune === "good" ? [660, 880] : [220, 220, 220]).forEach((pitch, i) => {
		const tone = audio.createOscillator(), at = audio.currentTime + i * 0.3;

		tone.frequency.value = pitch;
		tone.connect(audio.destination);
		tone.start(at);
		tone.stop(at + 0.2);
	});
}

// A switch for the sound; a browser may want one click first.
/** @param {Element} parent */
function makeSound(parent) {
	const audio = new AudioContext(), button = make("button", "sound", parent), ring = model.bell();
	const look = () => write(button, audio.state === "running" ? "Sound off" : "Sound on");

	audio.onstatechange = look;
	button.onclick = () => audio.state === "running" ? audio.suspend() : audio.resume();
	look();
	return (/** @type {model.State} */ state) => {
		const tune = ring(state, performance.now());

		if (tune && audio.state === "running")
			play(tune, audio);
	};
}

/**
 * Fills root with the page, which tells how to go on: with a reply of Watch, or without connection.
 * onTile: a tile was clicked.
 * @param {HTMLElement} root @param {(port: string) => void} [onTile]
 */
export function mount(root, onTile) {
	const head = make("header", "head", root), word = make("span", "state", head);
	const counters = make("span", "counters", head), eta = make("span", "eta", head);
	const bar = make("div", "bar", make("div", "progress", root));
	const grid = make("div", "tiles", root), lines = make("ul", "advice", root);
	const foot = make("footer", "foot", root), texts = make("span", "texts", foot), ring = makeSound(foot);
	const box = make("div", "box", root);
	/** @type {Map<string, ReturnType<makeTile>>} */
	const tiles = new Map();
	let state = model.unknown(new Date());

	box.setAttribute("role", "alert");

	function showTiles() {
		const { rows, columns, cells } = model.geometry(state), ports = cells.map((c) => c.slot.port);

		for (const { slot, row, column } of cells) {
			const tile = tiles.get(slot.port) ?? makeTile(slot.port, onTile);

			tiles.set(slot.port, tile);
			set(tile.root, "--row", row);
			set(tile.root, "--column", column);
			if (tile.slot !== slot)
				showTile(tile, slot);
		}
		for (const port of tiles.keys())
			if (!state.slots.has(port))
				tiles.delete(port);
		set(grid, "--rows", rows);
		set(grid, "--columns", columns);
		grid.classList.toggle("dense", cells.length > DENSE);
		if (grid.children.length !== ports.length ||
			ports.some((port, i) => grid.children[i] !== tiles.get(port)?.root))
			grid.replaceChildren(...ports.map((port) => tiles.get(port)?.root ?? ""));
	}

	function showLines(/** @type {string} */ remark) {
		const all = model.advice(state, LINES);

		if (remark)
			all.unshift({ kind: "remark", label: "", text: remark, more: "" });
		lines.replaceChildren(...all.map((line) => {
			const item = make("li", line.kind);

			make("b", "", item, line.label);
			make("span", "text", item, line.text);
			make("span", "more", item, line.more === line.text ? "" : line.more);
			return item;
		}));
	}

	function showHead(/** @type {model.Station} */ station) {
		const { text, bad } = model.word(station), all = model.counters(station);

		write(word, text);
		word.classList.toggle("bad", bad);
		counters.replaceChildren(...all.map((c) => make("span", c.kind, undefined, c.text)));
		write(eta, station.eta_s == null ? "" : model.clock(station.eta_s));
		set(head, "--n", text.length + all.reduce((n, c) => n + c.text.length + 2, 8));
		write(texts, model.foot(station).join("   "));
		document.title = `${text} – flashing station`;
	}

	function show() {
		if (state.station) {
			showHead(state.station);
			showTiles();
			showLines(model.remark(state.station));
			set(bar, "width", `${(100 * model.progress(state)).toFixed(1)}%`);
		}
		root.classList.toggle("down", state.since !== null);
		// WHY not its locale's time: the same in each browser.
		write(box, state.since === null ? "" : "NO CONNECTION TO THE STATION since " +
			`${state.since.toTimeString().slice(0, 8)}. What is shown may be old: do not unplug anything ` +
			`by it.${state.why ? ` (${state.why})` : ""}`);
		ring(state);
	}

	show();
	return {
		state: () => state,
		hear(/** @type {model.Reply} */ reply) {
			// WHY: this page is of the old one, and it stays open for months.
			if (state.station && state.station.version !== reply.station.version)
				location.reload();
			state = model.fold(state, reply);
			show();
		},
		lose(/** @type {string} */ why) {
			state = model.down(state, new Date(), why);
			show();
		},
	};
}
