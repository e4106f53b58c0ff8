// What two stores hold, compared without the order of rows: how many of each kind, and a sum over their hashes.
import { createHash } from "node:crypto";

import { IMAGE_KINDS } from "./store-image.js";
import type { DigestState, ImageKind, KindDigest } from "./store-image.js";

const BITS = 256;
const HEX = 16;
const NONE: KindDigest = { rows: 0, sum: "0" };
export const NOTHING_READ: DigestState = {
  policies: NONE,
  audit: NONE,
  creationKeys: NONE,
  revocations: NONE,
  fleetTime: NONE,
  sessions: NONE,
};

/** The state with these rows of a kind too. */
export function withRows(state: DigestState, kind: ImageKind, rows: readonly object[]): DigestState {
  let sum = BigInt(`0x${state[kind].sum}`);
  for (const row of rows) sum += BigInt(`0x${createHash("sha256").update(canonical(row)).digest("hex")}`);
  return {
    ...state,
    [kind]: { rows: state[kind].rows + rows.length, sum: BigInt.asUintN(BITS, sum).toString(HEX) },
  };
}

/** What differs, for the operator; undefined where nothing does. */
export function difference(source: DigestState, target: DigestState): string | undefined {
  const parts = IMAGE_KINDS.flatMap((kind) => {
    const [one, other] = [source[kind], target[kind]];
    if (one.rows !== other.rows) return [`${kind}: ${other.rows} where the source has ${one.rows}`];
    return one.sum === other.sum ? [] : [`${kind}: as many as in the source, but not the same`];
  });
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** One number over all kinds, by which people compare two reports. */
export function checksum(state: DigestState): string {
  const parts = IMAGE_KINDS.map((kind) => `${kind} ${state[kind].rows} ${state[kind].sum}`);
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, HEX);
}

/** JSON with the names of each object in order: engines give back what they were given, but not in its order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(",")}}`;
}
