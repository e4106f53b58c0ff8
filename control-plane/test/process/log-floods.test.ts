// The log under a flood, and what every line of it has.
import { expect, it } from "vitest";

import { LogFloods } from "../../src/log-floods.js";
import { createLog } from "../../src/log.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";

type Line = Readonly<Record<string, unknown>>;

function startLog() {
  const lines: Line[] = [];
  const timers = new ManualTimers(new FixedClock());
  const floods = new LogFloods(timers);
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line);
  return { log: createLog("debug", { write }, floods), lines, timers, floods };
}

const of = (lines: readonly Line[], event: string): number => lines.filter((line) => line.event === event).length;

it("a flood of one event is a hundred lines, and one that says how many more there were", () => {
  const { log, lines, timers } = startLog();
  for (let n = 0; n < 1000; n++) log.warn({ event: "edge-condition", n }, "an edge lags");
  log.warn({ event: "store-unwritable" }, "another fault is not hidden by it");
  expect([of(lines, "edge-condition"), of(lines, "store-unwritable")]).toEqual([100, 1]);
  timers.advance(10_000);
  const summed = { event: "log-lines-summed", of: "edge-condition", lines: 900, level: "warn" };
  expect(lines.at(-1)).toMatchObject(summed);
  log.warn({ event: "edge-condition" }, "the next window");
  timers.advance(10_000);
  expect([of(lines, "edge-condition"), of(lines, "log-lines-summed")]).toEqual([101, 1]);
});

it("a hundred lines over a long time are no flood", () => {
  const { log, lines, timers } = startLog();
  for (let n = 0; n < 300; n++) {
    log.error({ event: "request-failed" }, "failed");
    timers.advance(1000);
  }
  expect([of(lines, "request-failed"), lines.length]).toEqual([300, 300]);
});

it("every act of somebody has its line, and so has whatever the level debug shows", () => {
  const { log, lines } = startLog();
  for (let n = 0; n < 500; n++) {
    log.info({ event: "audit" }, "revoked");
    log.info({ event: "session-created" }, "created");
    log.debug({ event: "request" }, "request");
  }
  expect(lines).toHaveLength(1500);
});

it("a process that ends says first what it has left out", () => {
  const { log, lines, floods } = startLog();
  for (let n = 0; n < 101; n++) log.warn({ event: "a" }, "again");
  floods.end();
  expect(lines.at(-1)).toMatchObject({ event: "log-lines-summed", of: "a", lines: 1 });
});

it("a line of a library has an event too", () => {
  const { log, lines } = startLog();
  log.info("Server listening");
  log.error(new Error("broken"));
  log.warn({ reqId: 1 }, "late");
  expect(lines.map(({ event }) => event)).toEqual(["server", "server", "server"]);
  expect(lines[1]).toMatchObject({ err: { message: "broken" }, msg: "broken" });
});
