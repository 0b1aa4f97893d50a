// SPDX-License-Identifier: MIT
// What the desk uses of Cockpit's own script.
interface CockpitChannel {
	addEventListener(name: "message", hear: (event: Event, data: Uint8Array) => void): void;
	addEventListener(name: "close", hear: (event: Event, how: { problem?: string }) => void): void;
	send(data: Uint8Array): void;
	close(problem?: string): void;
}

interface CockpitProcess extends Promise<Uint8Array> {
	input(data: Uint8Array, more?: boolean): CockpitProcess;
}

declare const cockpit: {
	manifests: { cfdfu: { station: { socket: string, program: string } } };
	channel(options: { payload: string, unix: string, binary: boolean }): CockpitChannel;
	spawn(words: string[], options: { binary: boolean, err: string }): CockpitProcess;
};
