// Two workers on one table: what a request costs, and how often they get in each other's way.
import { EnvoyAdmin } from "../e2e/harness/envoy-admin.js";
import { ADDED_COLUMNS, addedRow, ratioRows, ratiosByName, type AddedRatio } from "./added-cpu.js";
import { ALL_CORES } from "./cores.js";
import { cpuTimeNs } from "./cpu-time.js";
import type { Installation } from "./installation.js";
import { h2load, manySessions, requireAll } from "./load.js";
import { withInstallation, type Part } from "./part.js";
import { inTurns, type Turn } from "./rounds.js";
import { percent, type Section } from "./section.js";
import { requestPathVariants } from "./variants.js";

const SESSIONS = 1000;
const RATIOS: readonly AddedRatio[] = [["workers.floor", "sluice", "floor"]];
/** Requests a second of one session that are many, and yet not all that two workers can do. */
const PACE = 5000;
/** Time for a tick to bring the last counts to Envoy. */
const FLUSHED_WITHIN_MS = 500;

export async function workers(part: Part): Promise<Section[]> {
  const kept = ["bare", "floor", "sluice"];
  const variants = requestPathVariants(SESSIONS, part.filterPath).filter(({ name }) => kept.includes(name));
  const options = { variants, sessions: SESSIONS, workers: 2, cores: ALL_CORES };
  return withInstallation(part, "workers", options, async (installation) => {
    const size = part.quick ? { requests: 8_000, rounds: 4 } : { requests: 20_000, rounds: 16 };
    part.say(`two workers: ${size.rounds} rounds of ${size.requests} requests`);
    const token = await installation.issue("plenty");
    await h2load(installation.portOf("sluice"), 1, token);
    const hot = kept.map((name): Turn => {
      const load = async (): Promise<number> => {
        const answers = await h2load(installation.portOf(name), size.requests, token);
        requireAll(name, answers, "2xx", size.requests);
        return size.requests;
      };
      return { name, load };
    });
    let next = 0;
    const inTurn = () => installation.tokens[next++ % SESSIONS] ?? "";
    const many = ["bare", "sluice"].map((name): Turn => {
      const port = installation.portOf(name);
      const load = async (): Promise<number> => {
        requireAll(name, await manySessions(port, size.requests, inTurn), "200", size.requests);
        return size.requests;
      };
      return { name: `${name}Many`, load };
    });
    const before = await contention(installation);
    const hotRounds = await inTurns(hot, size.rounds, () => cpuTimeNs(installation.envoyPid));
    const after = await contention(installation);
    await h2load(installation.portOf("sluice"), 2 * PACE, token, PACE);
    const paced = (await contention(installation)).retries - after.retries;
    const rounds = { ...hotRounds, ...(await inTurns(many, size.rounds, () => cpuTimeNs(installation.envoyPid))) };
    // The warm-up counts too.
    const retries = (after.retries - before.retries) / (size.requests * (size.rounds + 1));
    const exhausted = after.exhausted - before.exhausted;
    return [
      {
        title: "Two workers",
        method: `${size.rounds} rounds of ${size.requests} requests. The load has no core of its own, so the workers meet less often than they could.`,
        columns: ADDED_COLUMNS,
        rows: [
          addedRow(rounds, "floor", "bare", "floor, one hot key"),
          addedRow(rounds, "sluice", "bare", "sluice, one hot session"),
          addedRow(rounds, "sluiceMany", "bareMany", "sluice, a thousand sessions"),
          ...ratioRows(rounds, RATIOS),
          ["retries of compare-and-swap, of all requests of that session", percent(retries), "", ""],
          [`the same at ${PACE} requests a second`, percent(paced / (2 * PACE)), "", ""],
          ["requests that gave up after 32 retries", String(exhausted), "", ""],
        ],
        ratios: {
          ...ratiosByName(rounds, RATIOS),
          "workers.casRetries": retries,
          "workers.casRetriesPaced": paced / (2 * PACE),
        },
        figures: { "workers.casExhausted": exhausted },
      },
    ];
  });
}

async function contention({ adminPort }: Installation): Promise<{ retries: number; exhausted: number }> {
  await new Promise((resolve) => setTimeout(resolve, FLUSHED_WITHIN_MS));
  const stats = await new EnvoyAdmin(adminPort).stats();
  const of = (name: string): number => stats.get(`wasmcustom.sluice_cas_${name}`) ?? 0;
  return { retries: of("retries"), exhausted: of("exhausted") };
}
