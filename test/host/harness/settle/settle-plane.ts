// The control plane of a run: what it answers of a session, from what it was told and what stands in the table.
import { MICROTOKENS_PER_TOKEN, PICO_PER_TOKEN } from "../../../../assembly/contract.js";
import { CURSOR, endedAnswer, LOG } from "../scenes/documents.js";
import type { Edge } from "../scenes/edge.js";
import type { TableRecord } from "../scenes/table-view.js";
import type { Session } from "../scenes/tokens.js";
import { tagOf, type PolicyOfRun } from "./settle-policies.js";

const PICO_PER_MICRO = BigInt(PICO_PER_TOKEN / MICROTOKENS_PER_TOKEN);

interface Known {
  planId: number;
  readonly endsAtMs: number;
  isRevoked: boolean;
  consumed: number;
  rev: number;
  level: number;
  readonly levels: Map<string, number>;
}

export class SettlePlane {
  cursor = CURSOR;
  readonly #known = new Map<string, Known>();

  constructor(
    private readonly edge: Edge,
    private readonly policies: readonly PolicyOfRun[],
  ) {}

  issue(session: Session, planId: number, endsInMs: number): void {
    const figures = { consumed: 0, rev: 0, level: 1000 * MICROTOKENS_PER_TOKEN, levels: new Map<string, number>() };
    const endsAtMs = this.edge.clock.wallMs + endsInMs;
    this.#known.set(session.id, { planId, endsAtMs, isRevoked: false, ...figures });
  }

  /** It is told what a record says, as reports and asks do. */
  take(session: Session, record: TableRecord | undefined): void {
    const known = this.#knownOf(session.id);
    if (record === undefined || record.rev < known.rev) return;
    Object.assign(known, { consumed: record.consumed, rev: record.rev, level: micro(record.levelPico) });
    const { annex } = record;
    if (annex === undefined) return;
    const plan = this.policies.flatMap(({ plans }) => plans).find((each) => tagOf(each) === annex.tag);
    plan?.buckets.slice(1).forEach(({ name }, at) => known.levels.set(name, micro(annex.levelsPico[at] ?? 0n)));
  }

  changePlan(session: Session, planId: number): void {
    this.#knownOf(session.id).planId = planId;
  }

  revoke(session: Session): void {
    this.#knownOf(session.id).isRevoked = true;
  }

  answerOf(id: string): string {
    const { planId, endsAtMs, isRevoked, levels, ...figures } = this.#knownOf(id);
    const endsInMs = endsAtMs - this.edge.clock.wallMs;
    if (isRevoked) return endedAnswer("revoked", Math.max(endsInMs, 1), this.cursor);
    if (endsInMs <= 0) return endedAnswer("expired", 1, this.cursor);
    const place = { log: LOG, cursor: this.cursor, generation: 1 };
    const held = { ...figures, budgetSpent: false, levels: Object.fromEntries(levels) };
    return JSON.stringify({ state: "live", plan: planId, endsInMs, ...held, ...place });
  }

  #knownOf(id: string): Known {
    const known = this.#known.get(id);
    if (known === undefined) throw new Error(`nobody issued ${id}`);
    return known;
  }
}

function micro(pico: bigint): number {
  const cut = pico / PICO_PER_MICRO;
  return Number(cut * PICO_PER_MICRO > pico ? cut - 1n : cut);
}
