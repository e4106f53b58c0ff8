// Whether a write of the table is the settlement of a request, and when a settlement writes nothing: under any of the
// policies that may be in force on a worker.
import type { TableRecord } from "../scenes/table-view.js";
import {
  afterLostSettlement,
  afterSettlement,
  canPay,
  figuresOf,
  isOfReservation,
  type Reservation,
} from "./settle-arithmetic.js";
import type { PlanOfRun, PolicyOfRun } from "./settle-policies.js";
import { costOf, isOpen, type Sent } from "./settle-requests.js";

/** What may be in force, and the clock. */
export interface Circumstances {
  readonly policies: readonly PolicyOfRun[];
  readonly nowUs: bigint;
}

export function plansOf(record: TableRecord, policies: readonly PolicyOfRun[]): PlanOfRun[] {
  return policies.flatMap(({ plans }) => plans.filter(({ id }) => id === record.planId));
}

/** moved: the level has, by what the request really cost. consumed: only what was reserved from the plan's own bucket is. */
export function settlementOf(
  sent: Sent,
  before: TableRecord,
  after: TableRecord,
  circumstances: Circumstances,
): "moved" | "consumed" | undefined {
  if (!isOpen(sent)) return undefined;
  const { reserved } = sent;
  const figures = figuresOf(after);
  const hasMoved = plansOf(before, circumstances.policies).some((plan) => {
    if (!isOfReservation(before, plan, reserved) || after.refilledAtUs >= endOf(before)) return false;
    return afterSettlement(before, plan, reserved, costOf(sent), after.refilledAtUs) === figures;
  });
  if (hasMoved) return "moved";
  const isConsumed = reserved.bucket === 0 && afterLostSettlement(before, reserved.tokens) === figures;
  return isConsumed && isElsewhere(before, reserved, circumstances) ? "consumed" : undefined;
}

/** Whether a settlement writes nothing while its session's record is such. */
export function writesNothing(sent: Sent, record: TableRecord | undefined, circumstances: Circumstances): boolean {
  if (record === undefined || !isOpen(sent)) return true;
  if (sent.reserved.bucket === 0) return false;
  return costOf(sent) === sent.reserved.tokens || isElsewhere(record, sent.reserved, circumstances);
}

/** Whether a request is paid for under each policy. */
export function pays(record: TableRecord | undefined, sent: Sent, { policies }: Circumstances): boolean {
  const plans = record === undefined ? [] : plansOf(record, policies);
  return plans.length > 0 && plans.every((plan) => canPay(record, plan, sent.path));
}

/** The session has ended, or what was reserved may not be in its record's buckets: a policy lacks the plan, or its limits. */
function isElsewhere(record: TableRecord, reserved: Reservation, { policies, nowUs }: Circumstances): boolean {
  if (nowUs >= endOf(record)) return true;
  return !policies.every(({ plans }) => plans.some((plan) => isOfReservation(record, plan, reserved)));
}

function endOf(record: TableRecord): bigint {
  return BigInt(record.endsAtS) * 1_000_000n;
}
