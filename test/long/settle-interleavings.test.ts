// More runs of requests that settle than npm test has time for, from the seed where that ends.
import { expect, it } from "vitest";
import { deployedBuild, smallBuild } from "../host/harness/settle/settle-builds.js";
import { SettleRun } from "../host/harness/settle/settle-run.js";
import { settleSessions } from "../host/harness/settle/settle-sessions.js";

const FIRST_SEED = 41;
const RUNS = 1000;

const sessions = settleSessions();

it.each([
  ["the build that is deployed", deployedBuild],
  ["a build with few notes", smallBuild],
] as const)(`${RUNS} more runs of %s settle each stream once, by what its response says`, async (_what, build) => {
  const built = await build();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    expect(new SettleRun(seed, built, sessions).finding(), `seed ${seed}`).toBeUndefined();
  }
});
