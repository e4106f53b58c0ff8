// What the clients of a run want, and when: sessions of uneven demand, whose requests shift between the Envoys.
import { Random } from "../../host/harness/host/random.js";

export interface SessionDemand {
  /** Requests a second while it asks. */
  readonly perSecond: number;
  /** It asks for so long, and then rests for so long; 0: it never rests. */
  readonly asksMs: number;
  readonly restsMs: number;
  /** How long its requests go the same way to the Envoys. */
  readonly turnMs: number;
}

/** Beyond 100 a second, but for the last one in its rests. Together at most 1,000 a second. */
export const SESSIONS: readonly SessionDemand[] = [
  { perSecond: 240, asksMs: 1, restsMs: 0, turnMs: 1700 },
  { perSecond: 190, asksMs: 1, restsMs: 0, turnMs: 900 },
  { perSecond: 150, asksMs: 1, restsMs: 0, turnMs: 2300 },
  { perSecond: 120, asksMs: 1, restsMs: 0, turnMs: 5000 },
  { perSecond: 200, asksMs: 1500, restsMs: 1200, turnMs: 700 },
];

/** Parts of a session's requests by Envoy, turn after turn: one alone, mostly one, all alike, another one alone. */
const TURNS: readonly (readonly [number, number, number])[] = [
  [1, 0, 0],
  [0.15, 0.8, 0.05],
  [0.34, 0.33, 0.33],
  [0, 0, 1],
  [0.5, 0, 0.5],
  [0.05, 0.9, 0.05],
];
export const EDGES = 3;

/** Requests that are asked for now, a second. */
export function wantedPerSecond({ perSecond, asksMs, restsMs }: SessionDemand, atMs: number): number {
  return atMs % (asksMs + restsMs) < asksMs ? perSecond : 0;
}

/** @param nth the session: each begins with another turn @returns parts by Envoy; together 1 */
export function partsAt({ turnMs }: SessionDemand, nth: number, atMs: number): readonly number[] {
  return TURNS[(Math.floor(atMs / turnMs) + nth) % TURNS.length] ?? [];
}

export interface Due {
  readonly session: number;
  readonly edge: number;
}

/** After a longer pause than this, what would have been due in the rest of it is not made up for. */
const MADE_UP_MS = 100;

/** Which requests are due as time goes on. */
export class Demand {
  private readonly owed: number[];
  private readonly random = new Random(1);
  private lastMs = 0;

  constructor(private readonly sessions: readonly SessionDemand[]) {
    this.owed = sessions.map(() => 0);
  }

  /** Those that have become due since it was asked last. @param atMs since the run began */
  dueBy(atMs: number): Due[] {
    const passedS = Math.min(atMs - this.lastMs, MADE_UP_MS) / 1000;
    this.lastMs = atMs;
    return this.sessions.flatMap((demand, session) => {
      const owed = (this.owed[session] ?? 0) + wantedPerSecond(demand, atMs) * passedS;
      this.owed[session] = owed % 1;
      return Array.from({ length: Math.floor(owed) }, () => ({ session, edge: this.edge(demand, session, atMs) }));
    });
  }

  private edge(demand: SessionDemand, session: number, atMs: number): number {
    const parts = partsAt(demand, session, atMs);
    let left = this.random.fraction();
    const chosen = parts.findIndex((part) => (left -= part) < 0);
    return chosen === -1 ? parts.findLastIndex((part) => part > 0) : chosen;
  }
}
