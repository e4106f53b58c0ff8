// Every order of host calls can come, also where requests settle: workers run a host call at a time under a seeded schedule,
// and their streams end in any order and way. Each write of the table is held to what one request or one settlement may do.
import { beforeAll, describe, expect, it } from "vitest";
import { COMPILE_TIMEOUT_MS } from "../harness/builds/filter-builds.js";
import { deployedBuild, smallBuild } from "../harness/settle/settle-builds.js";
import { SettleRun, type SettleBuild } from "../harness/settle/settle-run.js";
import { settleSessions } from "../harness/settle/settle-sessions.js";
import { settlements } from "../harness/scenes/settling.js";

const RUNS = 40;
const sessions = settleSessions();

describe("requests that settle, under any order of the workers' host calls", () => {
  let deployed: SettleBuild;
  let small: SettleBuild;
  beforeAll(async () => {
    deployed = deployedBuild();
    small = await smallBuild();
  }, COMPILE_TIMEOUT_MS);

  it("each stream costs what its response says, once, and no limit is passed", () => {
    let contended = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const run = new SettleRun(seed, deployed, sessions);
      expect(run.finding(), `seed ${seed}`).toBeUndefined();
      contended += run.edge.host.metrics.sum("sluice_cas_retries_total");
    }
    expect(contended, "writes that were lost to other workers").toBeGreaterThan(RUNS);
  }, 300_000);

  it("each stream costs what its response says where notes are few and writes are soon given up", () => {
    const came: Record<string, number> = {};
    let exhausted = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const run = new SettleRun(seed, small, sessions);
      expect(run.finding(), `seed ${seed}`).toBeUndefined();
      for (const [outcome, count] of Object.entries(settlements(run.edge)))
        came[outcome] = (came[outcome] ?? 0) + count;
      exhausted += run.edge.host.metrics.sum("sluice_cas_exhausted_total");
    }
    const outcomes = ["ended", "invalid", "no_note", "no_record", "no_value", "other_limits", "settled"];
    expect(Object.keys(came).sort(), "what came of settlements").toEqual(outcomes);
    expect(exhausted, "settlements and requests that lost all their writes").toBeGreaterThan(RUNS / 10);
  }, 300_000);
});
