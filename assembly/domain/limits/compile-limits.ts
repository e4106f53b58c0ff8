// From the plans of a policy to the table that requests spend by. Managed memory: when a policy comes into force.
import { SCOPE_EDGE, SCOPE_FLEET } from "../../contract";
import { APPLIES_ALWAYS, Limit } from "../policy/limit-model";
import { Plan, Policy } from "../policy/model";
import { toPico } from "../table/bucket";
import { LIMIT_BYTES, LimitEntry, LimitTable, PLAN_WORDS } from "./limit-table";
import { limitText } from "./limit-text";
import { NO_TAG, tagOfLimits } from "./limits-tag";

/** Null where no plan has further limits, and none is of scope fleet: then nothing of a request is read for them. */
export function compileLimits(policy: Policy): LimitTable | null {
  const plans = policy.plans;
  let limits = 0;
  for (let i = 0; i < plans.length; i++) if (hasAnnex(plans[i])) limits += plans[i].limits.length + 1;
  if (limits == 0) return null;
  const table = new LimitTable();
  table.plans = new StaticArray<u32>(plans.length * PLAN_WORDS);
  table.limits = new StaticArray<u8>(limits * LIMIT_BYTES);
  const texts: string[] = [];
  const lists: string[] = [];
  let next = changetype<usize>(table.limits);
  for (let i = 0; i < plans.length; i++) {
    const plan = plans[i];
    if (!hasAnnex(plan)) continue;
    table.plans[i * PLAN_WORDS] = <u32>next;
    table.plans[i * PLAN_WORDS + 1] = plan.limits.length;
    table.plans[i * PLAN_WORDS + 2] = tagOfPlan(plan);
    for (let limit = 0; limit <= plan.limits.length; limit++) {
      const entry = changetype<LimitEntry>(next);
      fillEntry(entry, limit == 0 ? plan : plan.limits[limit - 1], texts);
      if (plan.scope == SCOPE_FLEET) neverRefill(entry);
      next += LIMIT_BYTES;
    }
    lists.push(listOf(plan));
    table.plans[i * PLAN_WORDS + 4] = lists[lists.length - 1].length;
    table.plans[i * PLAN_WORDS + 5] = plan.scope;
  }
  placeTexts(table, texts, lists);
  return table;
}

/** Whether records of its sessions have an annex. */
export function hasAnnex(plan: Plan): bool {
  return plan.limits.length > 0 || plan.scope != SCOPE_EDGE;
}

export function namesOfPlan(plan: Plan): string[] {
  const names: string[] = [];
  for (let i = 0; i < plan.limits.length; i++) names.push(plan.limits[i].name);
  return names;
}

export function tagOfPlan(plan: Plan): u32 {
  return tagOfLimits(plan.id, plan.scope, namesOfPlan(plan));
}

function fillEntry(entry: LimitEntry, limit: Limit, texts: string[]): void {
  const text = limitText(limit);
  entry.capacity = toPico(limit.maxTokens);
  entry.ratePico = limit.ratePico;
  entry.rateUs = limit.rateUs;
  entry.maxTokens = limit.maxTokens;
  entry.nameId = limit.nameId;
  entry.applies = limit.applies == APPLIES_ALWAYS ? 1 : 0;
  entry.textBytes = text.length;
  entry.nameBytes = limit.name.length;
  texts.push(text);
}

/** What an edge has of a lease gains nothing there. The texts speak of the budget's rate. */
function neverRefill(entry: LimitEntry): void {
  entry.ratePico = 0;
  entry.rateUs = 1;
}

function listOf(plan: Plan): string {
  let list = limitText(plan);
  for (let i = 0; i < plan.limits.length; i++) {
    if (plan.limits[i].applies == APPLIES_ALWAYS) list += `, ${limitText(plan.limits[i])}`;
  }
  return list;
}

/** Writes all texts end to end. They are ASCII: a character is a byte. */
function placeTexts(table: LimitTable, texts: string[], lists: string[]): void {
  let bytes = 0;
  for (let i = 0; i < texts.length; i++) bytes += texts[i].length;
  for (let i = 0; i < lists.length; i++) bytes += lists[i].length;
  table.text = new StaticArray<u8>(bytes);
  let end = changetype<usize>(table.text);
  for (let plan: u32 = 0, i = 0; plan < table.planCount; plan++) {
    if (table.tagOf(plan) == NO_TAG) continue;
    const list = lists[i++];
    table.plans[plan * PLAN_WORDS + 3] = <u32>end;
    end += String.UTF8.encodeUnsafe(changetype<usize>(list), list.length, end);
  }
  for (let i = 0; i < texts.length; i++) {
    changetype<LimitEntry>(changetype<usize>(table.limits) + i * LIMIT_BYTES).text = end;
    end += String.UTF8.encodeUnsafe(changetype<usize>(texts[i]), texts[i].length, end);
  }
}
