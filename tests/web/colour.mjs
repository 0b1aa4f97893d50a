// SPDX-License-Identifier: MIT
// How far apart colours are: for eyes (CIE76 in L*a*b*) and for reading (WCAG 2.1 contrast).
const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;

export function luminance([r, g, b]) {
	return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export function contrast(one, other) {
	const [a, b] = [luminance(one), luminance(other)].sort((x, y) => y - x);

	return (a + 0.05) / (b + 0.05);
}

function lab(colour) {
	const [r, g, b] = colour.map(linear);
	const f = (t) => t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116;
	const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505), y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
	const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);

	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

export function distance(one, other) {
	const a = lab(one), b = lab(other);

	return Math.hypot(...a.map((v, i) => v - b[i]));
}

// "rgb(0, 95, 163)", also several of them in one text.
export function parse(text) {
	return [...text.matchAll(/rgb\((\d+), (\d+), (\d+)\)/g)].map((m) => m.slice(1).map(Number));
}
