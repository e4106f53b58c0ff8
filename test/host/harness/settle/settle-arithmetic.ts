// What an admission and a settlement make of a session's buckets: the reference that each write of the table is held to.
import { PICO_PER_TOKEN } from "../../../../assembly/contract.js";
import type { TableRecord } from "../scenes/table-view.js";
import {
  costsOf,
  settledBucket,
  settlesOwn,
  tagOf,
  type Bucket,
  type Path,
  type PlanOfRun,
} from "./settle-policies.js";

const PICO = BigInt(PICO_PER_TOKEN);

/** What was taken, and is to be settled. */
export interface Reservation {
  readonly planId: number;
  readonly tag: string;
  /** The bucket's number; 0 is the plan's own. */
  readonly bucket: number;
  readonly tokens: number;
}

interface Level {
  readonly pico: bigint;
  readonly remainder: bigint;
}

/** What of a record these steps change, as text. */
export function figuresOf(record: TableRecord): string {
  const further = record.annex?.levelsPico.map((pico, at) => `${pico}+${record.annex?.remainders[at] ?? 0}`) ?? [];
  const own = `${record.levelPico}+${record.remainder}`;
  return `rev ${record.rev}, consumed ${record.consumed}, at ${record.refilledAtUs}, levels ${[own, ...further].join(" ")}`;
}

/**
 * The figures of a record once a request was admitted. Undefined: it could not be.
 * @param isNoted whether what it reserves is noted, to be settled
 */
export function afterAdmission(
  before: TableRecord,
  plan: PlanOfRun,
  path: Path,
  isNoted: boolean,
  atUs: bigint,
): string | undefined {
  // An annex of limits that the plan has no more may lie there still.
  const fits = plan.buckets.length === 1 || hasAnnexFor(before, plan);
  if (!before.live || before.planId !== plan.id || !fits) return undefined;
  const costs = costsOf(plan, path);
  const levels = refilled(before, plan, atUs).map(({ pico, remainder }, bucket) => {
    return { pico: pico - BigInt(costs[bucket] ?? 0) * PICO, remainder };
  });
  if (levels.some(({ pico }, bucket) => pico < 0n && (costs[bucket] ?? 0) > 0)) return undefined;
  const consumed = isNoted && settlesOwn(path) ? 0 : (costs[0] ?? 0);
  return withLevels(before, levels, consumed, atUs);
}

export function reservationOf(plan: PlanOfRun, path: Path): Reservation | undefined {
  const bucket = settledBucket(plan, path);
  if (bucket === undefined) return undefined;
  return { planId: plan.id, tag: tagOf(plan), bucket, tokens: costsOf(plan, path)[bucket] ?? 0 };
}

/**
 * Whether what was reserved still is in the record's bucket: its plan has not changed. Its own bucket is the same whatever
 * limits stand beside it, unless the record has levels of others than its plan's.
 */
export function isOfReservation(record: TableRecord, plan: PlanOfRun, reserved: Reservation): boolean {
  if (!record.live || record.planId !== reserved.planId || record.planId !== plan.id) return false;
  if (record.annex === undefined) return reserved.bucket === 0;
  return hasAnnexFor(record, plan) && (reserved.bucket === 0 || tagOf(plan) === reserved.tag);
}

/** The figures of a record once what was reserved has become `cost`. */
export function afterSettlement(
  before: TableRecord,
  plan: PlanOfRun,
  reserved: Reservation,
  cost: number,
  atUs: bigint,
): string {
  const levels = refilled(before, plan, atUs).map((level, bucket) => {
    return bucket === reserved.bucket ? settled(level, plan.buckets[bucket], reserved.tokens, cost) : level;
  });
  return withLevels(before, levels, reserved.bucket === 0 ? cost : 0, atUs);
}

/** The same where nothing moves: only what was reserved from the plan's own bucket is consumed. */
export function afterLostSettlement(before: TableRecord, tokens: number): string {
  return figuresOf({ ...before, rev: before.rev + 1, consumed: before.consumed + tokens });
}

/** Whether the levels of a record, without any refill, pay for a request. */
export function canPay(record: TableRecord | undefined, plan: PlanOfRun, path: Path): boolean {
  if (record?.live !== true || record.refresh || record.planId !== plan.id || !hasAnnexFor(record, plan)) return false;
  const levels = [record.levelPico, ...(record.annex?.levelsPico ?? [])];
  return costsOf(plan, path).every((cost, bucket) => {
    // What a full bucket holds may have become less.
    const most = BigInt(plan.buckets[bucket]?.maxTokens ?? 0) * PICO;
    const level = levels[bucket] ?? 0n;
    return (level < most ? level : most) >= BigInt(cost ?? 0) * PICO;
  });
}

function hasAnnexFor(record: TableRecord, plan: PlanOfRun): boolean {
  return (record.annex?.tag ?? "") === tagOf(plan);
}

function refilled(before: TableRecord, plan: PlanOfRun, atUs: bigint): Level[] {
  const elapsedUs = atUs - before.refilledAtUs;
  const held = [before.levelPico, ...(before.annex?.levelsPico ?? [])];
  const remainders = [before.remainder, ...(before.annex?.remainders ?? [])];
  return plan.buckets.map((bucket, at) => {
    return refill({ pico: held[at] ?? 0n, remainder: BigInt(remainders[at] ?? 0) }, bucket, elapsedUs);
  });
}

function refill(
  { pico, remainder }: Level,
  { maxTokens, refill: [tokens, seconds] }: Bucket,
  elapsedUs: bigint,
): Level {
  const full = BigInt(maxTokens) * PICO;
  if (tokens === 0) return { pico: pico < full ? pico : full, remainder };
  const [ratePico, rateUs] = reduced((BigInt(tokens) * PICO) / 1_000_000n, BigInt(seconds));
  if (rateUs === 1n) throw new Error("a rate whose remainder is always 0 is not one of these policies");
  const gained = elapsedUs * ratePico + (remainder < rateUs ? remainder : 0n);
  const level = pico + gained / rateUs;
  return level >= full ? { pico: full, remainder: 0n } : { pico: level, remainder: gained % rateUs };
}

function reduced(over: bigint, under: bigint): [bigint, bigint] {
  let [divisor, rest] = [over, under];
  while (rest !== 0n) [divisor, rest] = [rest, divisor % rest];
  return [over / divisor, under / divisor];
}

/** Never above what the bucket holds; never further below 0 than that, unless it is already. */
function settled({ pico, remainder }: Level, bucket: Bucket | undefined, reserved: number, cost: number): Level {
  const full = BigInt(bucket?.maxTokens ?? 0) * PICO;
  const level = pico + BigInt(reserved - cost) * PICO;
  if (level >= full) return { pico: full, remainder: 0n };
  const least = pico < -full ? pico : -full;
  return { pico: level < least ? least : level, remainder };
}

function withLevels(before: TableRecord, levels: readonly Level[], consumed: number, atUs: bigint): string {
  const [own, ...further] = levels;
  const { annex } = before;
  const levelsPico = annex?.levelsPico.map((pico, at) => further[at]?.pico ?? pico) ?? [];
  const remainders = annex?.remainders.map((held, at) => Number(further[at]?.remainder ?? held)) ?? [];
  return figuresOf({
    ...before,
    rev: before.rev + 1,
    consumed: before.consumed + consumed,
    refilledAtUs: atUs,
    levelPico: own?.pico ?? 0n,
    remainder: Number(own?.remainder ?? 0),
    annex: annex === undefined ? undefined : { ...annex, levelsPico, remainders },
  });
}
