// The built filter under a random policy: its calls are answered, and what it did with a request is put into the words of the
// reference.
import { TICK_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import type { Stream } from "../harness/host/stream.js";
import { CURSOR, LOG, endedAnswer, reportAnswer, watchAnswer } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { edgeWithoutPolicy } from "../harness/scenes/policy-offer.js";
import type { PublishingPlane } from "./publishing-plane.js";
import type { PlainAnswer } from "./reference/answers.js";
import type { TokenHolder } from "./reference/edge.js";
import { without, type Pairs } from "./reference/pairs.js";

const COUNTED = /^sluice_(requests_total|tokens_\w+|settlements_total|headers_omitted_total)/;
const ENDS_IN_MS = 300 * 86_400_000;

export class DrivenEdge {
  readonly edge: Edge;
  #counted: ReadonlyMap<string, number> = new Map();
  #holders = new Map<string, TokenHolder>();

  constructor(module: WebAssembly.Module, seed: number) {
    this.edge = edgeWithoutPolicy({ module, seed });
  }

  /** Takes the published policy from its watch. @returns its bytes */
  async follow(plane: PublishingPlane): Promise<string> {
    this.edge.flush();
    const bytes = await plane.answer(this.edge.watch);
    this.edge.passMs(TICK_MS);
    return bytes;
  }

  meet(holders: readonly TokenHolder[]): void {
    this.#holders = new Map(holders.map((holder) => [holder.id, holder]));
  }

  get nowUs(): bigint {
    return this.edge.clock.monotonicNanos / 1000n;
  }

  /** Time passes; what the filter says meanwhile is taken. */
  pass(us: number): void {
    this.edge.clock.advanceMicros(us);
    this.edge.flush();
    for (const report of this.edge.pendingReports) report.answer(200, reportAnswer());
    for (const watch of this.edge.watches) {
      if (watch.state === "pending") watch.answer(200, watchAnswer({ cursor: CURSOR }));
    }
  }

  /** A request, up to where it leaves for the service or is answered. */
  open(request: Pairs): Stream {
    const stream = this.edge.worker(0).open(request);
    for (const acquire of this.edge.pendingAcquires) this.#answer(acquire);
    return stream;
  }

  #answer(acquire: Callout): void {
    const { session } = acquire.json as { session: string };
    const told = this.#holders.get(session)?.told;
    if (told === undefined) throw new Error(`nobody has the session ${session}`);
    if (told === "nothing") acquire.refuse();
    else if (told === "ended") acquire.answer(200, endedAnswer("revoked", ENDS_IN_MS));
    else {
      const { planId: plan, own: level, levels, budgetSpent } = told;
      const bucket = { plan, endsInMs: ENDS_IN_MS, level, levels, consumed: 0, rev: 0, budgetSpent };
      acquire.answer(200, JSON.stringify({ state: "live", ...bucket, log: LOG, cursor: CURSOR }));
    }
  }

  /** What was counted since it was asked last; those that are not 0. */
  counted(): Record<string, number> {
    this.edge.flush();
    const before = this.#counted;
    this.#counted = this.edge.host.metrics.values();
    const grown = [...this.#counted].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
    return notNone(Object.fromEntries(grown.filter(([name]) => COUNTED.test(name))));
  }

  /** Picotokens of each of a session's buckets, where its record was written now. */
  levels(sessionId: string, further: number): readonly bigint[] | undefined {
    const record = this.edge.table.record(sessionId);
    if (record?.refilledAtUs !== this.nowUs) return undefined;
    return [record.levelPico, ...(record.annex?.levelsPico.slice(0, further) ?? [])];
  }
}

/** What the filter answered in place of the service. */
export function answerOf(stream: Stream): PlainAnswer | undefined {
  const { local } = stream;
  if (local === undefined) return undefined;
  const said = JSON.parse(local.body) as Record<string, unknown>;
  const { code, limit, message = said["detail"] } = (said["error"] ?? said) as Record<string, unknown>;
  return {
    status: local.status,
    details: local.details,
    body: { code, message, ...(limit === undefined ? {} : { limit }) },
    headers: sorted(without(stream.responseHeaders?.pairs() ?? [], ["content-length"])),
  };
}

/** By name; the lines of one name stay in their order. */
export function sorted(pairs: Pairs): Pairs {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export function notNone(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
