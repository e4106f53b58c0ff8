// Which other control planes are there, by when their beats were seen.
import { describe, expect, it } from "vitest";

import { ProcessBeats, THERE_FOR_MS } from "../../../../src/app/edges/processes/process-beats.js";

const HOUR_MS = 3_600_000;
const AT_MS = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 24 * HOUR_MS;
const beat = (atMs: number, ended = false) => ({ process: "other", atMs, ended });

describe("beats of other control planes", () => {
  it("a control plane that goes on beating is there, however its clock or this one's stands", () => {
    const beats = new ProcessBeats();
    for (let at = 0; at < 20; at++) {
      expect(beats.note([beat(AT_MS + at)], at * (THERE_FOR_MS - 1), AT_MS + YEAR_MS * (at % 2)).ended).toEqual([]);
      expect(beats.isThere("other")).toBe(true);
    }
    expect(beats.toForget(20 * THERE_FOR_MS, AT_MS + YEAR_MS)).toEqual([]);
  });

  it("a control plane whose beat stays the same is there for 35 seconds", () => {
    const beats = new ProcessBeats();
    beats.note([beat(AT_MS)], 0, AT_MS);
    expect(beats.note([beat(AT_MS)], THERE_FOR_MS - 1, AT_MS).ended).toEqual([]);
    expect(beats.note([beat(AT_MS)], THERE_FOR_MS, AT_MS).ended).toEqual([{ process: "other", untilMs: 0 }]);
    expect([beats.isThere("other"), beats.count()]).toEqual([false, 0]);
  });

  it("a control plane that went on beating while it was not read is there again", () => {
    const beats = new ProcessBeats();
    beats.note([beat(AT_MS)], 0, AT_MS);
    beats.age(THERE_FOR_MS);
    expect(beats.isThere("other")).toBe(false);
    beats.note([beat(AT_MS + 1)], 2 * THERE_FOR_MS, AT_MS + 2 * THERE_FOR_MS);
    expect(beats.isThere("other")).toBe(true);
  });

  it("an old beat that is seen for the first time is of a control plane that is not there", () => {
    const beats = new ProcessBeats();
    beats.note([beat(AT_MS)], 0, AT_MS + THERE_FOR_MS + 1);
    expect(beats.isThere("other")).toBe(false);
  });

  it("nothing is forgotten of a control plane by a clock that is a year ahead alone", () => {
    const beats = new ProcessBeats();
    beats.note([beat(AT_MS)], 0, AT_MS + YEAR_MS);
    expect(beats.toForget(THERE_FOR_MS - 1, AT_MS + YEAR_MS)).toEqual([]);
    expect(beats.toForget(THERE_FOR_MS, AT_MS + YEAR_MS)).toEqual(["other"]);
  });
});
