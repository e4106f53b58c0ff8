// Two workers on one table: what a request costs, and how often they get in each other's way.
import { ADDED_COLUMNS, addedRow, ratioRows, ratiosByName, type AddedRatio } from "./added-cpu.js";
import { contention, PACE, pacedRetries } from "./contention.js";
import { ALL_CORES } from "../stand/cores.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import type { Installation } from "../stand/installation.js";
import { h2load, manySessions, requireAll } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { percent, type Section } from "../stand/section.js";
import { requestPathVariants } from "../stand/variants.js";

const SESSIONS = 1000;
const KEPT = ["bare", "floor", "sluice"];
const RATIOS: readonly AddedRatio[] = [["workers.floor", "sluice", "floor"]];
interface Size {
  readonly requests: number;
  readonly rounds: number;
}

export async function workers(part: Part): Promise<Section[]> {
  const variants = requestPathVariants(SESSIONS, part.filterPath).filter(({ name }) => KEPT.includes(name));
  const options = { variants, sessions: SESSIONS, workers: 2, cores: ALL_CORES };
  return withInstallation(part, "workers", options, async (installation) => {
    const size: Size = part.quick ? { requests: 8_000, rounds: 4 } : { requests: 20_000, rounds: 16 };
    part.say(`two workers: ${size.rounds} rounds of ${size.requests} requests`);
    const token = await installation.issue("plenty");
    await h2load(installation.portOf("sluice"), 1, token);
    const cpu = () => cpuTimeNs(installation.envoyPid);
    const before = await contention(installation);
    const hotRounds = await inTurns(hotTurns(installation, token, size), size.rounds, cpu);
    const after = await contention(installation);
    // The warm-up counts too.
    const retries = (after.retries - before.retries) / (size.requests * (size.rounds + 1));
    const { inBursts, atRandomTimes } = await pacedRetries(installation, token);
    const { exhausted } = await contention(installation);
    const rounds = { ...hotRounds, ...(await inTurns(manyTurns(installation, size), size.rounds, cpu)) };
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
          [`the same at ${PACE} requests a second, in bursts`, percent(inBursts), "", ""],
          [`the same at ${PACE} requests a second, at random times`, percent(atRandomTimes), "", ""],
          ["requests that gave up after 32 retries", String(exhausted), "", ""],
        ],
        ratios: {
          ...ratiosByName(rounds, RATIOS),
          "workers.casRetries": retries,
          "workers.casRetriesInBursts": inBursts,
          "workers.casRetriesAtRandom": atRandomTimes,
        },
        figures: { "workers.casExhausted": exhausted },
      },
    ];
  });
}

function hotTurns(installation: Installation, token: string, { requests }: Size): Turn[] {
  return KEPT.map((name): Turn => {
    const load = async (): Promise<number> => {
      requireAll(name, await h2load(installation.portOf(name), requests, token), "2xx", requests);
      return requests;
    };
    return { name, load };
  });
}

function manyTurns(installation: Installation, { requests }: Size): Turn[] {
  let next = 0;
  const inTurn = () => installation.tokens[next++ % SESSIONS] ?? "";
  return ["bare", "sluice"].map((name): Turn => {
    const load = async (): Promise<number> => {
      requireAll(name, await manySessions(installation.portOf(name), requests, inTurn), "200", requests);
      return requests;
    };
    return { name: `${name}Many`, load };
  });
}
