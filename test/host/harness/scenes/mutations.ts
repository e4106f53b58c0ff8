// Makes broken variants of texts and JSON documents, from a seed.
import type { Random } from "../host/random.js";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What breaks readers of numbers, strings and structures. Raw, since not all of it is JSON. */
const NASTY_VALUES: readonly string[] = [
  "null",
  "true",
  "-1",
  "-0",
  "0.5",
  "1e1",
  "1e400",
  "-1e-400",
  "5.7",
  "01",
  "+1",
  ".5",
  "NaN",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "9".repeat(400),
  `0.${"1".repeat(400)}`,
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\x"',
  '"live',
  `"${"x".repeat(5000)}"`,
  "[]",
  "{}",
  `${"[".repeat(200)}${"]".repeat(200)}`,
  "[".repeat(60_000),
  '{"a":'.repeat(12_000),
  "",
];

/** The document's text with one value replaced by something nasty, or one member gone, doubled or renamed. */
export function breakJson(document: unknown, random: Random): string {
  const marker = "\u0001";
  const copy = structuredClone(document) as Json;
  const spot = random.pick(spotsOf(copy));
  const text = (): string => JSON.stringify(copy);
  switch (random.below(4)) {
    case 0:
      spot.remove();
      return text();
    case 1:
      spot.rename(`${spot.key}x`);
      return text();
    case 2:
      spot.set(marker);
      return text().replace(JSON.stringify(marker), `1,"${spot.key}":${random.pick(NASTY_VALUES)}`);
    default:
      spot.set(marker);
      return text().replace(JSON.stringify(marker), random.pick(NASTY_VALUES));
  }
}

/** Some bytes changed, taken out or put in, or the end cut off. */
export function breakBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let broken = [...bytes];
  for (let change = 0; change <= random.below(4); change++) {
    const at = random.below(broken.length + 1);
    const kind = random.below(4);
    if (kind === 0) broken.splice(at, 1);
    else if (kind === 1) broken.splice(at, 0, random.below(256));
    else if (kind === 2) broken[at] = random.below(256);
    else broken = broken.slice(0, at);
  }
  return Uint8Array.from(broken);
}

interface Spot {
  readonly key: string;
  set(value: Json): void;
  remove(): void;
  rename(key: string): void;
}

/** Every member and element of a document, at any depth. */
function spotsOf(value: Json): Spot[] {
  if (value === null || typeof value !== "object") return [];
  const parent = value as Record<string, Json>;
  return Object.keys(parent).flatMap((key) => [spotAt(parent, key), ...spotsOf(parent[key] ?? null)]);
}

function spotAt(parent: Record<string, Json>, key: string): Spot {
  const remove = (): void => {
    Reflect.deleteProperty(parent, key);
  };
  return {
    key,
    set(value): void {
      parent[key] = value;
    },
    remove,
    rename(other): void {
      parent[other] = parent[key] ?? null;
      remove();
    },
  };
}
