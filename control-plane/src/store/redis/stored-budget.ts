// A session's fleet budget as its hash holds it: lists as in stored-forms.ts, and what another version may know at their ends.
import type { ExactLevel, FleetBudget, Lease } from "../../domain/leases/fleet-budget.js";
import { withRare } from "./stored-forms.js";

/** Of a session's hash. */
export const BUDGET_FIELD = "b";

type LevelForm = readonly [micro: number, remainder: number, rare?: object];
/** What few leases have. */
type RareOfLease = Partial<Pick<Lease, "unnumbered" | "at" | "debtTaken" | "refused">>;
type LeaseForm = readonly [
  ...[edge: string, instance: string, ask: number, untilMs: number, pacedUntilMs: number],
  ...[granted: Lease["granted"], outstanding: Lease["outstanding"], want: Lease["want"], rare?: RareOfLease],
];
type BudgetForm = readonly [
  ...[log: string, planId: number, atMs: number, wallMs: number, frozenUntilMs: number],
  ...[levels: Readonly<Record<string, LevelForm>>, leases: readonly LeaseForm[], rare?: object],
];

export function budgetText(budget: FleetBudget): string {
  const { log, planId, atMs, wallMs, frozenUntilMs, levels, leases, forgottenAsk, ...others } = budget;
  const rare = forgottenAsk === 0 ? others : { forgottenAsk, ...others };
  const lists = [ofEach(levels, levelForm), leases.map(leaseForm)] as const;
  return JSON.stringify(withRare<BudgetForm>([log, planId, atMs, wallMs, frozenUntilMs, ...lists], rare));
}

export function budgetIn(text: string): FleetBudget {
  const [log, planId, atMs, wallMs, frozenUntilMs, levels, leases, rare] = JSON.parse(text) as BudgetForm;
  const lists = { levels: ofEach(levels, levelIn), leases: leases.map(leaseIn) };
  return { log, planId, atMs, wallMs, frozenUntilMs, ...lists, forgottenAsk: 0, ...rare };
}

const ofEach = <One, Other>(all: Readonly<Record<string, One>>, told: (one: One) => Other): Record<string, Other> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, told(one)]));

const levelForm = ({ micro, remainder, ...rare }: ExactLevel): LevelForm =>
  withRare<LevelForm>([micro, remainder], rare);

const levelIn = ([micro, remainder, rare]: LevelForm): ExactLevel => ({ micro, remainder, ...rare });

function leaseForm(lease: Lease): LeaseForm {
  const { edge, instance, ask, untilMs, pacedUntilMs, granted, outstanding, want, ...others } = lease;
  const { unnumbered, debtTaken, ...further } = others;
  const owed = Object.keys(debtTaken).length === 0 ? {} : { debtTaken };
  const rare = { ...(unnumbered ? { unnumbered } : {}), ...owed, ...further };
  return withRare<LeaseForm>([edge, instance, ask, untilMs, pacedUntilMs, granted, outstanding, want], rare);
}

const leaseIn = ([edge, instance, ask, untilMs, pacedUntilMs, granted, outstanding, want, rare]: LeaseForm): Lease => ({
  ...{ edge, instance, ask, untilMs, pacedUntilMs, granted, outstanding, want, unnumbered: false, debtTaken: {} },
  ...rare,
});
