// The built filter, compiled once a test file. `npm run build:filter` makes it.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { suspendable } from "../host/suspendable.js";

/** release is what Envoy gets, or lean, or settle; debug is unoptimised and names its functions. */
export type FilterBuild = "release" | "debug" | "lean" | "settle";

/** From the repository's root, where its commands run. */
const FILES: Record<FilterBuild, string> = {
  release: "build/sluice.wasm",
  debug: "build/sluice.debug.wasm",
  lean: "build/sluice-lean.wasm",
  settle: "build/sluice-settle.wasm",
};

export function filterBytes(build: FilterBuild): Uint8Array {
  return readFileSync(resolve(FILES[build]));
}

export function filterModule(build: FilterBuild = "release"): WebAssembly.Module {
  return new WebAssembly.Module(filterBytes(build));
}

/** A build that is able to stop at its host calls. */
export function suspendableFilterModule(build: FilterBuild = "release"): WebAssembly.Module {
  return new WebAssembly.Module(suspendable(filterBytes(build)));
}
