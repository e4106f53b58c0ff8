// Cookies of every shape: what the filter finds in random lines, and what it leaves of them, against a plain reference.
import { describe, expect, it } from "vitest";
import { Random } from "../harness/host/random.js";
import {
  COOKIE,
  edgeLookingAt,
  HEADER,
  knownSession,
  linesOf,
  receivedOf,
  sendLines,
} from "../harness/scenes/placed-tokens.js";

const CASES = 800;
const PIECES = [
  "sid",
  "sid=TOKEN",
  "=",
  ";",
  "; ",
  " ",
  "\t",
  '"',
  '"TOKEN"',
  "TOKEN",
  "a=1",
  "SID",
  "sidx=2",
  ",",
  "",
  "é",
];
const BLANKS = /^[ \t]+|[ \t]+$/g;

/** One to three lines; Envoy trims each. */
function randomLines(random: Random, token: string): string[] {
  const line = (): string => Array.from({ length: random.below(9) }, () => random.pick(PIECES)).join("");
  const lines = Array.from({ length: 1 + random.below(3) }, line);
  return lines.map((text) => text.replaceAll("TOKEN", token).replace(BLANKS, ""));
}

/** The value of a pair of this name, as it stands; undefined for any other pair. */
function valueOf(pair: string): string | undefined {
  const [name = "", ...value] = pair.split("=");
  return value.length > 0 && name.replace(BLANKS, "") === "sid" ? value.join("=") : undefined;
}

function expectedOutcome(lines: readonly string[], token: string): string {
  const found = lines
    .flatMap((line) => line.split(";"))
    .map(valueOf)
    .find((value) => value !== undefined);
  const value = found?.replace(BLANKS, "").replace(/^"/, "").replace(/"$/, "") ?? "";
  if (value === "") return "sluice_missing_session";
  return value === token ? "admitted" : "sluice_invalid_session";
}

/** Lines without the cookie stay; where one has it, each loses the pair, and goes if it held nothing else. */
function expectedLines(lines: readonly string[]): string[] {
  const pairs = lines.map((line) => line.split(";"));
  if (!pairs.flat().some((pair) => valueOf(pair) !== undefined)) return [...lines];
  const kept = pairs.map((line) => line.filter((pair) => valueOf(pair) === undefined));
  return kept.map((line) => joined(line)).filter((line) => line !== "");
}

/** As they stood, but for what is blank or empty before the first. */
function joined(pairs: readonly string[]): string {
  const first = pairs.findIndex((pair) => pair.replace(BLANKS, "") !== "");
  if (first < 0) return "";
  const [head = "", ...others] = pairs.slice(first);
  return [head.replace(/^[ \t]+/, ""), ...others].join(";");
}

describe("cookies of every shape", () => {
  it("random cookies have the session that a plain reading of them has", () => {
    const edge = edgeLookingAt([COOKIE]);
    const { token } = knownSession(edge, COOKIE, 999);
    const random = new Random(7);
    const outcomes = new Set<string>();
    for (let count = 0; count < CASES; count++) {
      const lines = randomLines(random, token);
      const stream = sendLines(
        edge,
        lines.map((line) => ["cookie", line] as const),
      );
      const outcome = stream.local?.details ?? "admitted";
      expect(outcome, JSON.stringify(lines)).toBe(expectedOutcome(lines, token));
      outcomes.add(outcome);
    }
    expect(outcomes).toEqual(new Set(["admitted", "sluice_missing_session", "sluice_invalid_session"]));
  });

  it("random cookies reach the service without the token's, and are else as they were", () => {
    const edge = edgeLookingAt([HEADER, COOKIE], { token: { forward: false } });
    const { token } = knownSession(edge, HEADER, 999);
    const random = new Random(8);
    for (let count = 0; count < CASES; count++) {
      const lines = randomLines(random, token);
      const cookies = lines.map((line) => ["cookie", line] as const);
      const received = receivedOf(sendLines(edge, [...cookies, ...linesOf(HEADER, token)]));
      expect(
        received.map(([, value]) => value),
        JSON.stringify(lines),
      ).toEqual(expectedLines(lines));
    }
  });
});
