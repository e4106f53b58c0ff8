// What becomes of a primary under control planes, and how much of its history the next one lacks.
import { expect } from "vitest";

import type { SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import type { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import type { Scene } from "./scene.js";

const META = "{sluice}:meta";

/** The primary is killed. Resolves once another one is the primary. */
export async function killPrimary(set: SentinelSet): Promise<{ back: () => Promise<void>; had: number }> {
  const primary = await set.primary();
  // Nobody is answered any more from here on.
  primary.proxy.partition();
  const had = await numberIn(primary.server, "commits");
  await primary.server.kill();
  primary.proxy.resume();
  await set.failedOver(primary);
  return {
    had,
    back: async () => {
      await primary.server.restart();
      await set.complete();
    },
  };
}

/** The same; then it comes back, as a replica of the other one. Resolves with how many commits it had. */
export async function failover(set: SentinelSet): Promise<number> {
  const { back, had } = await killPrimary(set);
  await back();
  return had;
}

export const numberIn = async (server: StoreServer, field: string): Promise<number> =>
  Number(await server.command("HGET", META, field));

/**
 * What control planes have said to be lost is so, and is no less than what clients know of: each session that was issued
 * is a commit of its own, and one that was acknowledged is at most the highest number that anybody acknowledged.
 * @param had commits of the former primary
 */
export async function expectCounted(
  one: Scene,
  set: SentinelSet,
  { had, untrue }: { readonly had: number; readonly untrue: readonly string[] },
): Promise<void> {
  const gone = had - (await numberIn((await set.primary()).server, "commitsBefore"));
  const issued = untrue.filter((sentence) => sentence.startsWith("201 for"));
  const said = one.lostSaid();
  console.log(JSON.stringify({ gone, said, issued: issued.length, untrue: untrue.length }));
  expect(issued.length).toBeGreaterThan(0);
  expect(Math.max(...said)).toBeGreaterThanOrEqual(issued.length);
  expect(Math.max(...said)).toBeLessThanOrEqual(gone);
  expect(said.reduce((sum, lost) => sum + lost, 0)).toBe(await one.commitsLost());
}

/** What is still untrue though edges have asked and reported anew about what is there. */
export function notMadeGood(untrue: readonly string[]): string[] {
  const gone = untrue.filter((sentence) => sentence.startsWith("201 for")).map((sentence) => sentence.split(/[ ,]/)[2]);
  const isMadeGood = (sentence: string): boolean => sentence.includes("had a report");
  return untrue.filter((sentence) => isMadeGood(sentence) && !gone.some((id) => sentence.includes(id ?? "-")));
}
