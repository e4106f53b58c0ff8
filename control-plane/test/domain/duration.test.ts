// Durations in words: the control plane reads the list that the filter reads.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { durationMs } from "../../src/domain/duration.js";

interface Row {
  readonly text: string;
  readonly ms: number | null;
}

const list = new URL("../../../test/vectors/durations.json", import.meta.url);
const { durations } = JSON.parse(readFileSync(list, "utf8")) as { durations: readonly Row[] };

describe("a duration in words", () => {
  it.each(durations)("a duration is so many ms in the API, and another text is none: $text", ({ text, ms }) => {
    expect(durationMs(text) ?? null).toBe(ms);
  });
});
