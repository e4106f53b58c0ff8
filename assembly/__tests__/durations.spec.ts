// Durations in words: the filter reads the list that the control plane reads.
import { durationMs } from "../domain/policy/durations";
import { vectorRows } from "./vectors";

describe("a duration in words, read by the filter's code", () => {
  test("each duration of the list is so many ms, and each other text is none", () => {
    const rows = vectorRows("durations.json", "durations", "text,ms");
    expect(rows.length).toBeGreaterThan(40);
    for (let i = 0; i < rows.length; i++) {
      const ms = durationMs(rows[i][0]);
      expect(ms < 0 ? "null" : ms.toString()).toBe(rows[i][1], rows[i][0]);
    }
  });
});
