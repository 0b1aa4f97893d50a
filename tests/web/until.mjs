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
