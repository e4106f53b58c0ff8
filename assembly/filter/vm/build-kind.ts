// Which of the three builds of the filter this VM runs: it has the callbacks that the build exports.

/** Callbacks for requests, responses' headers and streams (index.ts). */
export const BUILD_FULL: u32 = 0;
/** Those for requests alone (lean.ts). */
export const BUILD_LEAN: u32 = 1;
/** Also those for a response's body and trailers (settle.ts). */
export const BUILD_SETTLE: u32 = 2;

let kind: u32 = BUILD_FULL;

/** At configure. */
export function setBuildKind(build: u32): void {
  kind = build;
}

export function isBuild(build: u32): bool {
  return kind == build;
}
