// What happens to the further limits of sessions, checked at each write of a record: a request takes exactly what its path
// costs from all limits or from none, nothing else lowers one that is sure, nothing raises one but time.
import { PICO_PER_TOKEN } from "../../../assembly/contract.js";
import type { TableRecord } from "../../host/harness/scenes/table-view.js";
import { refilled, type Bucket, type Level, type PlanBuckets } from "../parts/buckets.js";
import type { Path } from "../parts/plan-limits.js";
import type { Life, Limits } from "./ledger.js";
import { LimitSpends } from "./limit-spends.js";
import { RecentRecords } from "./recent-records.js";
import { fail } from "./violation.js";

const PICO_PER_MICRO = BigInt(PICO_PER_TOKEN) / 1_000_000n;

/** Who writes a set. */
export interface Writer {
  /** The policy in force there lets none of these clients in. */
  readonly isClosed: boolean;
  /** A plan under that policy. */
  readonly bucketsOf: (planId: number) => PlanBuckets | undefined;
  /** Of the requests of a session on which it may be deciding. */
  readonly pathsOf: (sessionId: string) => readonly Path[];
  /** What the ask whose answer it takes said of a session: its rev, and the limits whose levels it had. */
  readonly saidOf: (sessionId: string) => { readonly rev: number; readonly names: readonly string[] } | undefined;
  /** The levels that the answer says of it, microtokens by name. */
  readonly answeredOf: (sessionId: string) => Readonly<Record<string, number>> | undefined;
}

export interface LimitLedgerParts {
  /** The most that any policy of the run gives. */
  readonly limitOf: (planId: number, name: string) => Limits;
  readonly namesOf: (tag: string) => readonly string[];
  readonly nowMs: () => number;
}

export class LimitLedger {
  readonly spends = new LimitSpends();
  readonly #recent: RecentRecords;
  /** Edge and session to the plans that records of it have had. */
  readonly #plans = new Map<string, Set<number>>();

  constructor(private readonly parts: LimitLedgerParts) {
    this.#recent = new RecentRecords(parts.nowMs);
  }

  /** A record was written. `isSpend`: it says that a request was let in. */
  wrote(life: Life, writer: Writer, before: TableRecord | undefined, after: TableRecord, isSpend: boolean): void {
    const { id } = after;
    const buckets = writer.bucketsOf(after.planId);
    this.#plansOf(life, id).add(after.planId);
    if (before !== undefined) this.#recent.noteReplaced(life, before);
    if (isSpend && before !== undefined) this.#spend(life, writer, buckets, before, after);
    else this.#change(life, writer, buckets, before, after);
    this.spends.noteRev(life, id, after.rev);
  }

  evicted(life: Life, record: TableRecord): void {
    const { id } = record;
    this.#recent.noteReplaced(life, record);
    this.spends.loseUntold(life, id, "unsure");
  }

  /**
   * A request was denied for want of tokens, and nothing has happened since it came.
   * @param bucketsOf a plan under the policy that denied it
   */
  denied(life: Life, bucketsOf: Writer["bucketsOf"], id: string, path: Path, nowUs: bigint): void {
    const stands = life.records.get(id);
    if (stands === undefined || !mayDeny(stands, bucketsOf(stands.planId))) return;
    const lacks = this.#recent.seen(life, id).some((record) => {
      const buckets = bucketsOf(record.planId);
      return buckets !== undefined && mayDeny(record, buckets) && lacksCosts(record, buckets, path, nowUs);
    });
    if (!lacks) fail("denied", `${life.edge} ${id}: denied ${path}, though every limit has what it costs`);
  }

  #spend(life: Life, writer: Writer, buckets: PlanBuckets | undefined, before: TableRecord, after: TableRecord): void {
    const { id } = after;
    if (buckets === undefined) fail("limit", `${life.edge} ${id}: let in by a policy that lacks its plan`);
    if (buckets.tag !== undefined && after.annex?.tag !== buckets.tag)
      fail("limit", `${life.edge} ${id}: let in with levels of ${after.annex?.tag ?? "no limits"}, not ${buckets.tag}`);
    const costs = [...new Set(writer.pathsOf(id))].map(buckets.costs);
    const paid = costs.find((one) => isPaid(buckets, before, after, one));
    if (paid === undefined)
      fail("limit", `${life.edge} ${id}: ${levelsOf(before)} became ${levelsOf(after)}, no request costs that`);
    const further = new Map([...paid].filter(([name]) => name !== buckets.own.name));
    this.spends.spend(life, id, further, isUnsure(before));
    for (const name of further.keys()) this.#expectWithin(life, id, name);
  }

  /** A session may be moved to another plan: of those that it had, each may have given the most. */
  #expectWithin(life: Life, id: string, name: string): void {
    const { edge } = life;
    const limits = [...this.#plansOf(life, id)].map((plan) => this.parts.limitOf(plan, name));
    const having = limits.filter(({ maxTokens }) => maxTokens > 0);
    const given = having.map(({ maxTokens, refillRate }) => maxTokens + (refillRate * this.parts.nowMs()) / 1000);
    const most = Math.max(...given) + this.spends.allowedTo(edge, id, name);
    const total = this.spends.spentFrom(edge, id, name);
    if (total > most) fail("limit", `${edge} ${id}: ${total} tokens spent of at most ${most} of ${name}`);
  }

  #change(
    life: Life,
    writer: Writer,
    buckets: PlanBuckets | undefined,
    before: TableRecord | undefined,
    after: TableRecord,
  ): void {
    const had = this.#namesIn(before);
    const has = this.#namesIn(after);
    const isUnverified = (after.provisional && before?.provisional !== true) || after.limitsUnconfirmed;
    if (before !== undefined && before.annex?.tag !== after.annex?.tag && after.live)
      this.#noteChange(life, writer, before, after, isUnverified);
    if (isUnverified && (before?.annex?.tag !== after.annex?.tag || after.provisional))
      for (const name of has.filter((one) => after.provisional || !had.includes(one)))
        this.spends.allow(life.edge, after.id, name, this.parts.limitOf(after.planId, name).maxTokens);
    if (before !== undefined && isUnsure(before) && !isUnsure(after)) this.#expectLowered(life, writer, after);
    if (before === undefined || buckets === undefined || before.rev > after.rev) return;
    for (const bucket of buckets.further) {
      const [was, is] = [had.indexOf(bucket.name), has.indexOf(bucket.name)];
      if (was >= 0 && is >= 0) expectKept(life, bucket, [before, was], [after, is]);
    }
  }

  /** The annex is made anew, or goes: what was spent from a limit since the row of the ask may be lost with it. */
  #noteChange(life: Life, writer: Writer, before: TableRecord, after: TableRecord, isUnverified: boolean): void {
    const { id } = after;
    const [had, has] = [this.#namesIn(before), this.#namesIn(after)];
    const said = writer.saidOf(id);
    const isTold = had.every((name) => said?.names.includes(name) === true);
    if (before.live && !isUnverified && !isUnsure(before) && !isTold)
      fail(
        "limit",
        `${life.edge} ${id}: its levels of ${had.join(", ")} are replaced by an answer to an ask that did not say them`,
      );
    for (const name of had.filter((one) => !has.includes(one))) {
      this.spends.loseUntold(life, id, isUnverified ? "all" : "unsure", [name]);
      if (said?.names.includes(name) === true)
        this.spends.loseSince(life, id, name, this.spends.countAt(life, id, said.rev));
    }
    if (said === undefined || isUnverified) return;
    for (const name of has.filter((one) => !had.includes(one)))
      this.spends.loseSince(life, id, name, this.spends.countAt(life, id, said.rev));
  }

  /** Levels that were made without the control plane hold no more than it says, once it was asked. */
  #expectLowered(life: Life, writer: Writer, after: TableRecord): void {
    const answered = writer.answeredOf(after.id) ?? {};
    for (const [at, name] of this.#namesIn(after).entries()) {
      const { pico } = levelIn(after, at + 1);
      const most = answered[name];
      if (most !== undefined && pico > BigInt(most) * PICO_PER_MICRO)
        fail("limit", `${life.edge} ${after.id}: confirmed with ${pico} of ${name}, the answer says ${most}`);
    }
  }

  #plansOf({ edge }: Life, id: string): Set<number> {
    const plans = this.#plans.get(edge + id) ?? new Set();
    this.#plans.set(edge + id, plans);
    return plans;
  }

  #namesIn(record: TableRecord | undefined): readonly string[] {
    return record?.annex === undefined ? [] : this.parts.namesOf(record.annex.tag);
  }
}

/** Whether its levels were made without the control plane, and it has not been asked since. */
function isUnsure({ provisional, limitsUnconfirmed }: TableRecord): boolean {
  return provisional || limitsUnconfirmed;
}

/** Whether it has levels of the limits that a request would have to pay. */
function mayDeny({ live, annex }: TableRecord, buckets: PlanBuckets | undefined): boolean {
  return live && buckets !== undefined && annex?.tag === buckets.tag;
}

/** Whether any of its limits holds less than a request of the path costs. */
function lacksCosts(record: TableRecord, buckets: PlanBuckets, path: Path, nowUs: bigint): boolean {
  const elapsedUs = nowUs > record.refilledAtUs ? nowUs - record.refilledAtUs : 0n;
  const costs = buckets.costs(path);
  return bucketsIn(buckets).some(({ name, bucket, at }) => {
    const { pico } = refilled(levelIn(record, at), elapsedUs, bucket);
    return pico < picoOf(costs.get(name) ?? 0);
  });
}

/** A level that is there before and after is never raised but by time, and one that is sure is not lowered either. */
function expectKept(
  life: Life,
  bucket: Bucket,
  from: readonly [TableRecord, number],
  to: readonly [TableRecord, number],
): void {
  const [[before, was], [after, is]] = [from, to];
  const elapsedUs = after.refilledAtUs > before.refilledAtUs ? after.refilledAtUs - before.refilledAtUs : 0n;
  const old = levelIn(before, was + 1);
  const most = refilled(old, elapsedUs, bucket);
  const { pico } = levelIn(after, is + 1);
  const what = `${life.edge} ${after.id}: ${bucket.name} ${old.pico} became ${pico}`;
  if (pico > (elapsedUs === 0n ? old.pico : most.pico)) fail("limit", `${what}, raised`);
  const isSure = !isUnsure(before) && before.annex?.tag === after.annex?.tag;
  if (isSure && pico < most.pico) fail("limit", `${what}, lowered`);
}

/** Whether the levels are those of before, refilled, less what a request costs; no limit that paid owes. */
function isPaid(
  buckets: PlanBuckets,
  before: TableRecord,
  after: TableRecord,
  costs: ReadonlyMap<string, number>,
): boolean {
  const elapsedUs = after.refilledAtUs - before.refilledAtUs;
  return bucketsIn(buckets).every(({ name, bucket, at }) => {
    const { pico, remainder } = refilled(levelIn(before, at), elapsedUs, bucket);
    const cost = costs.get(name) ?? 0;
    const left = pico - picoOf(cost);
    const is = levelIn(after, at);
    return is.pico === left && is.remainder === remainder && (cost === 0 || left >= 0n);
  });
}

function bucketsIn({ own, further }: PlanBuckets): { name: string; bucket: Bucket; at: number }[] {
  return [own, ...further].map((bucket, at) => ({ name: bucket.name, bucket, at }));
}

/** 0: the plan's own. */
function levelIn({ levelPico, remainder, annex }: TableRecord, at: number): Level {
  if (at === 0) return { pico: levelPico, remainder };
  return { pico: annex?.levelsPico[at - 1] ?? 0n, remainder: annex?.remainders[at - 1] ?? 0 };
}

function levelsOf({ levelPico, annex }: TableRecord): string {
  return [levelPico, ...(annex?.levelsPico ?? [])].join(" ");
}

function picoOf(tokens: number): bigint {
  return BigInt(tokens) * BigInt(PICO_PER_TOKEN);
}
