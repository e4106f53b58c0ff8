// The built filter, compiled once a test file. `npm run build:filter` makes it.
import { readFileSync } from "node:fs";
import { suspendable } from "./suspendable.js";

/** release is what Envoy gets; debug is unoptimised and names its functions. */
export type FilterBuild = "release" | "debug";

const FILES: Record<FilterBuild, URL> = {
  release: new URL("../../build/sluice.wasm", import.meta.url),
  debug: new URL("../../build/sluice.debug.wasm", import.meta.url),
};

export function filterBytes(build: FilterBuild): Uint8Array {
  return readFileSync(FILES[build]);
}

export function filterModule(build: FilterBuild = "release"): WebAssembly.Module {
  return new WebAssembly.Module(filterBytes(build));
}

/** The release build, able to stop at its host calls. */
export function suspendableFilterModule(): WebAssembly.Module {
  return new WebAssembly.Module(suspendable(filterBytes("release")));
}
