// SPDX-License-Identifier: MIT
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 120000), LOOK_MS = 40;

// Waits until a condition holds; tells what it was.
export async function until(condition, what) {
	for (const begin = Date.now(); ;) {
		const value = await condition();

		if (value)
			return value;
		if (Date.now() - begin > PATIENCE_MS)
			throw new Error(`waited in vain for: ${what}`);
		await new Promise((done) => setTimeout(done, LOOK_MS));
	}
}

// How long something took, without the times in which the whole machine stood still.
export async function took(action) {
	let still = 0, last = Date.now();
	const timer = setInterval(() => {
		const now = Date.now();

		still += Math.max(0, now - last - 100);
		last = now;
	}, 20);
	const begin = last;

	try {
		await action();
		return Date.now() - begin - still;
	} finally {
		clearInterval(timer);
	}
}
