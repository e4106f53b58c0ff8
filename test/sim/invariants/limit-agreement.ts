// What the control plane knows of an edge's further limits at the end of a run, by name: what the table holds there, unless
// something of it was never to be told.
import { PICO_PER_TOKEN } from "../../../assembly/contract.js";
import type { LevelAt, LimitLevels } from "../../../control-plane/src/domain/limit-levels.js";
import type { TableRecord } from "../../host/harness/scenes/table-view.js";
import { START_MS, msOfMonotonic } from "../parts/sim-time.js";
import type { World } from "../parts/world.js";
import type { Life } from "./ledger.js";
import { fail } from "./violation.js";

const PICO_PER_MICRO = BigInt(PICO_PER_TOKEN) / 1_000_000n;
/** A report that is under way for long makes its levels younger than they are: so much refill less is known of. */
const LATE_MS = 20_000;
/** Levels on the wire are rounded down. */
const ROUNDED_MICRO = 1;

/** Throws a Violation where they do not agree on a level. */
export function expectLevels({ ledger, store, policies }: World, life: Life, id: string): void {
  const record = life.records.get(id);
  const { spends } = ledger.limits;
  if (record?.live !== true || record.provisional || record.limitsUnconfirmed || record.annex === undefined) return;
  if (ledger.hasRestored || spends.hasUnsure(life, id)) return;
  const known = store.durableRows(id).find(({ instance }) => instance === life.instance())?.figures?.limits;
  for (const [at, name] of policies.namesOf(record.annex.tag).entries()) {
    const what = `${life.edge} ${id} ${name}`;
    const held = levelOf(known, name);
    if (held !== undefined) expectLevel(what, record, at, held, policies.limitOf(record.planId, name));
    else if (spends.spentBy(life, id, name) > 0)
      fail("levels", `${what}: spent from, and the control plane knows of no level`);
  }
}

function expectLevel(
  what: string,
  record: TableRecord,
  at: number,
  held: LevelAt,
  { leastTokens, refillRate }: { readonly leastTokens: number; readonly refillRate: number },
): void {
  const micro = Number((record.annex?.levelsPico[at] ?? 0n) / PICO_PER_MICRO);
  const passedMs = msOfMonotonic(record.refilledAtUs) + START_MS - held.atMs;
  const most = held.levelMicro + refillRate * 1000 * (Math.max(0, passedMs) + LATE_MS) + ROUNDED_MICRO;
  // Under another policy it may have been cut down.
  const least = Math.min(held.levelMicro, leastTokens * 1_000_000) - ROUNDED_MICRO;
  if (micro > most || micro < least)
    fail("levels", `${what}: holds ${micro}, the control plane knows ${held.levelMicro}`);
}

const levelOf = (levels: LimitLevels | undefined, name: string): LevelAt | undefined => levels?.[name];
