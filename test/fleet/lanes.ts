// What the clients of a run go through beside each other: Sluice; and with `compare` a budget for each Envoy, a counter in the
// store, and nothing.
import { setTimeout as delay } from "node:timers/promises";

import type { FleetArguments, Scope } from "./arguments.js";
import { type SessionDemand, SESSIONS } from "./figures/demand.js";
import { Ledger } from "./figures/ledger.js";
import { Door } from "./parts/door.js";
import type { FleetEnvoy } from "./parts/envoys.js";
import { type Lane, Load } from "./parts/load.js";
import type { ControlPlane } from "./parts/planes.js";
import type { Site } from "./parts/site.js";

interface Way {
  readonly name: string;
  /** Which of an Envoy's listeners. */
  readonly listener: number;
  /** Of the sessions' plan, where Sluice is asked. */
  readonly scope: Scope;
}

export const SLUICE = "sluice";
export const SLUICE_EACH = "each";
export const COUNTER = "counter";
export const BARE = "bare";

const COMPARED: readonly Way[] = [
  { name: SLUICE, listener: 0, scope: "fleet" },
  { name: SLUICE_EACH, listener: 0, scope: "edge" },
  { name: COUNTER, listener: 1, scope: "edge" },
  { name: BARE, listener: 2, scope: "edge" },
];
/** Before the run: programs that have just begun take longer for everything. By a session that is counted nowhere. */
const WARM: readonly SessionDemand[] = [{ perSecond: 300, asksMs: 1, restsMs: 0, turnMs: 100 }];
const WARM_MS = 1500;
/** In which a budget that a few were taken of is full again, and leases of it have ended. */
const FULL_AGAIN_MS = 3500;
/** Where four lanes share the machine: one that asks for more than there is, and one for less. */
const COMPARED_SESSIONS: readonly SessionDemand[] = [
  { perSecond: 150, asksMs: 1, restsMs: 0, turnMs: 1700 },
  { perSecond: 90, asksMs: 1, restsMs: 0, turnMs: 900 },
];

/** All are warm and have sessions of their own when it resolves. Sluice's is the first. */
export async function lanesOf(
  { compare, scope }: FleetArguments,
  { ends }: Site,
  envoys: readonly FleetEnvoy[],
  planes: readonly ControlPlane[],
): Promise<[Lane, ...Lane[]]> {
  const all: Lane[] = [];
  for (const way of compare ? COMPARED : [{ name: SLUICE, listener: 0, scope }]) {
    const doors = envoys.map(({ ports }) => new Door(ports[way.listener] ?? 0));
    await ends.add(() => {
      for (const door of doors) door.close();
    });
    await Promise.all(doors.map((door) => door.opened()));
    all.push(await laneOf(way, doors, planes, compare ? COMPARED_SESSIONS : SESSIONS));
    await new Load([await laneOf({ ...way, name: "warm" }, doors, planes, WARM)]).run(
      WARM_MS,
      AbortSignal.timeout(WARM_MS),
    );
  }
  if (compare) await meetAll(all);
  const [first, ...others] = all;
  if (first === undefined) throw new Error("there is a lane at least");
  return [first, ...others];
}

/**
 * Until each Envoy has asked about each session once. That is the same for either scope, and in a run of seconds it would be
 * what the slowest requests waited for.
 */
async function meetAll(lanes: readonly Lane[]): Promise<void> {
  for (const { doors, tokens } of lanes)
    for (const door of doors) for (const token of tokens) await door.ask({ "x-session-id": token });
  await delay(FULL_AGAIN_MS);
}

/** Its sessions are new. */
async function laneOf(
  { name, scope }: Way,
  doors: readonly Door[],
  [plane]: readonly ControlPlane[],
  sessions: readonly SessionDemand[],
): Promise<Lane> {
  const tokens: string[] = [];
  while (plane !== undefined && tokens.length < sessions.length) tokens.push((await plane.api.issue(scope)).token);
  return { name, sessions, tokens, doors, ledger: new Ledger() };
}
