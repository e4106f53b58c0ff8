// A policy in force in this VM, and all that follows from it: texts, counts of its plans. Immutable but for its counts
// and for the generation, which may grow while the policy stays the same.
import { POLICY_HASH_CHARS, SOURCE_CONTROL_PLANE, SOURCE_NONE, SOURCE_SETTINGS } from "../../contract";
import { ENFORCEMENT_ENFORCE, ENFORCEMENT_INHERITED, ENFORCEMENT_OFF } from "../../domain/policy/enforcement";
import { NO_ROUTES, Policy } from "../../domain/policy/model";
import { printPolicy } from "../../domain/policy/print";
import { compileLimits, namesOfPlan } from "../../domain/limits/compile-limits";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { LimitTable } from "../../domain/limits/limit-table";
import { NO_LIMITS } from "../../domain/policy/limit-model";
import { compileRoutes } from "../../domain/routes/compile-routes";
import { RouteTable } from "../../domain/routes/route-table";
import { SettleRules, compileSettles } from "../../domain/usage/settle-rules";
import { sha256 } from "../../domain/token/sha256";
import { addressOf, utf8 } from "../../memory/bytes";
import { nameLeaseCounters } from "../vm/lease-counters";
import { dropClosedRules } from "./settle-notes";
import { DenialTexts } from "./denial-texts";
import { PlanCounts } from "./plan-counts";
import { PlanTexts } from "./plan-texts";
import { noteTag } from "./tag-names";
import { hasOneHeader, marksRequests, tokenPlacesOf } from "./token-places";

/** Hex digits of a hash, two a byte. */
const HASH_BYTES: u32 = POLICY_HASH_CHARS / 2;
const digest: usize = memory.data(32, 8);

/** Where a policy comes from. */
export const FROM_NOWHERE: u8 = 0;
export const FROM_SETTINGS: u8 = 1;
export const FROM_CONTROL_PLANE: u8 = 2;

export class Epoch {
  /** Milliseconds; the longest that any token of this policy can be valid. */
  longestLifetimeMs: u64 = 0;
  /** token-places.ts */
  tokenPlaces: ArrayBuffer;
  /** Whether tokens are looked for in one header alone, as by default. */
  hasOneHeader: bool;
  /** Whether requests are changed, or annotated, before they go on. */
  marksRequests: bool;
  plans: StaticArray<PlanTexts>;
  denials: DenialTexts;
  planCounts: PlanCounts;
  /** Null without routes. */
  routes: RouteTable | null;
  /** Null where no route settles what its requests really cost. */
  settles: SettleRules | null;
  /** Null where no plan has limits beside its own bucket, and none is of scope fleet. */
  limits: LimitTable | null;
  /** Some plans are off: their sessions spend nothing. */
  hasOffPlans: bool = false;
  /** Everything is off: nothing of a request is read. */
  isOff: bool = false;
  /** Nothing is anything but enforced. */
  enforcesAll: bool = true;
  /** Of the control plane's log in which the generation counts; 0 where it is not the control plane's. */
  log: u64 = 0;
  generation: u64 = 0;

  /**
   * @param number grows with each epoch of this VM; 0 stands before any policy
   * @param hash of the policy's canonical bytes: equal policies have equal hashes, wherever they come from
   */
  constructor(
    public number: u32,
    public policy: Policy,
    public source: u8,
    public hash: u64,
  ) {
    const count = policy.plans.length;
    const texts = new StaticArray<PlanTexts>(count);
    let longest: u64 = 0;
    for (let i = 0; i < count; i++) {
      texts[i] = new PlanTexts(policy.plans[i]);
      longest = max(longest, policy.plans[i].lifetimeMs);
    }
    this.tokenPlaces = tokenPlacesOf(policy);
    this.hasOneHeader = hasOneHeader(policy);
    this.marksRequests = marksRequests(policy);
    const limits = takeLimits(policy, number);
    this.limits = limits;
    const routes = compileRoutes(policy.routes);
    this.routes = routes;
    this.settles = compileSettles(policy.routes);
    dropClosedRules();
    // The garbage collector visits each object that is kept, after every answer of the control plane: a thousand routes would be
    // thousands of objects. What requests need of them is in the tables.
    policy.routes = NO_ROUTES;
    const document = policy.enforcement;
    const offRoutes = routes == null || routes.allAre(ENFORCEMENT_OFF);
    this.hasOffPlans = policy.countPlansUnder(ENFORCEMENT_OFF) > 0;
    this.isOff = document == ENFORCEMENT_OFF && policy.countPlansUnder(ENFORCEMENT_OFF) == count && offRoutes;
    const enforced = policy.countPlansUnder(ENFORCEMENT_ENFORCE) == count;
    this.enforcesAll =
      document == ENFORCEMENT_ENFORCE && enforced && (routes == null || routes.allAre(ENFORCEMENT_ENFORCE));
    this.plans = texts;
    this.denials = new DenialTexts(policy);
    this.planCounts = new PlanCounts(policy, limits);
    this.longestLifetimeMs = longest;
  }

  /**
   * What holds for a request: its route's, else its plan's, else the document's.
   * @param ofRoute ENFORCEMENT_INHERITED where it has none, or that says nothing
   * @param planIndex -1 where no plan is known
   */
  enforcementOf(ofRoute: u32, planIndex: i32): u32 {
    return ofRoute != ENFORCEMENT_INHERITED ? ofRoute : this.policy.enforcementOfPlan(planIndex);
  }

  /** The table of limits where sessions of the plan have an annex: of several limits, or of scope fleet. Else null. */
  @inline
  limitsBeside(planIndex: u32): LimitTable | null {
    const limits = this.limits;
    return limits === null || limits.tagOf(planIndex) == NO_TAG ? null : limits;
  }

  /** No policy yet: requests are held. */
  @inline
  get isNone(): bool {
    return this.number == 0;
  }

  /** As a report says it. */
  get sourceWord(): string {
    if (this.source == FROM_CONTROL_PLANE) return SOURCE_CONTROL_PLANE;
    return this.source == FROM_SETTINGS ? SOURCE_SETTINGS : SOURCE_NONE;
  }
}

/** Takes the plans' further limits out of the policy, as its routes are. */
function takeLimits(policy: Policy, number: u32): LimitTable | null {
  const limits = compileLimits(policy);
  if (limits === null) return null;
  const plans = policy.plans;
  for (let i = 0; i < plans.length; i++) {
    if (limits.tagOf(i) == NO_TAG) continue;
    noteTag(limits.tagOf(i), namesOfPlan(plans[i]), limits.isFleet(i), number);
    if (limits.isFleet(i)) nameLeaseCounters();
    plans[i].limits = NO_LIMITS;
  }
  return limits;
}

/** Before any policy: built-in defaults and no plans. */
export const NO_POLICY: Epoch = new Epoch(0, new Policy(), FROM_NOWHERE, 0);

let newest: u32 = 0;

/** An epoch of the settings' own policy. */
export function epochOfSettings(policy: Policy): Epoch {
  const bytes = utf8(printPolicy(policy));
  return new Epoch(++newest, policy, FROM_SETTINGS, hashOfBytes(addressOf(bytes), bytes.byteLength));
}

/** An epoch of a policy that the control plane sent. */
export function epochOfControlPlane(policy: Policy, log: u64, generation: u64, hash: u64): Epoch {
  const epoch = new Epoch(++newest, policy, FROM_CONTROL_PLANE, hash);
  epoch.log = log;
  epoch.generation = generation;
  return epoch;
}

/** The first HASH_BYTES of SHA-256, as one number: its hex digits are what travels. */
export function hashOfBytes(bytes: usize, length: u32): u64 {
  sha256(bytes, length, digest);
  let hash: u64 = 0;
  for (let i: u32 = 0; i < HASH_BYTES; i++) hash = (hash << 8) | (<u64>load<u8>(digest + i));
  return hash;
}
