// The policies that an operator publishes in a run: the same two plans with other figures and other limits, one that closes
// an API to these clients, and one that the filter rejects, as where the control plane is newer than the filter.
import { createHash } from "node:crypto";
import { PICO_PER_TOKEN, POLICY_HASH_CHARS } from "../../../assembly/contract.js";
import type { AcceptedPolicy, PolicyValidator } from "../../../control-plane/src/app/ports/policy-ports.js";
import type { PlansOfPolicy } from "../../../control-plane/src/domain/plan.js";
import type { Limit } from "../../../control-plane/src/domain/policy/policy.js";
import type { PolicyDocument } from "../../host/harness/scenes/documents.js";
import type { Limits } from "../invariants/ledger.js";
import { bucketsOfPlan, tagOf, type PlanBuckets, type PlanFigures } from "./buckets.js";
import { documentOf, limitsOfPlan, routesFor } from "./plan-limits.js";

/** Short, so that a run of a second has several of each. */
export const REPORT_INTERVAL_MS = 100;

/** Times the capacity of the first one, and tokens per second of each plan; one without refill, so that each counts. */
const FIGURES = [
  { times: 1, rates: [0, 0.5] },
  { times: 2, rates: [0, 4] },
  { times: 0.5, rates: [0.25, 0] },
] as const;

/** What a policy does to a request of a session that lives. */
export type Kind = "open" | "closed" | "rejected";

export interface PoliciesParts {
  /** Of all kinds, or only the first one. */
  readonly change: boolean;
  readonly maxTokens: number;
  /** What the further limits of the plans hold, about; 0: there are none. */
  readonly limitTokens: number;
  /** Which set of limits the first policy has. */
  readonly firstLimits: number;
  readonly plan: { readonly maxAge: number; readonly lifetime: number };
  readonly rest: PolicyDocument;
}

interface Variant {
  readonly kind: Kind;
  readonly plans: readonly PlanFigures[];
  readonly buckets: readonly PlanBuckets[];
  readonly text: string;
}

export class Policies implements PolicyValidator {
  readonly #variants: readonly Variant[];
  readonly #byHash: ReadonlyMap<string, Variant>;
  /** Of all policies, by tag. */
  readonly #names: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly parts: PoliciesParts) {
    const first = this.#variant("open", 0);
    const others = [this.#variant("open", 1), this.#variant("open", 2), this.#variant("closed", 0)];
    this.#variants = parts.change ? [first, ...others, this.#variant("rejected", 1)] : [first];
    this.#byHash = new Map(this.#variants.map((variant) => [policyHash(variant.text), variant]));
    const tagged = this.#variants.flatMap(({ plans }) =>
      plans.map(({ id, limits }) => ({ id, names: namesOf(limits) })),
    );
    this.#names = new Map(tagged.map(({ id, names }) => [tagOf(id, names) ?? "", names]));
  }

  /** As an operator writes them; those that let these clients in first. */
  get texts(): readonly string[] {
    return this.#variants.map(({ text }) => text);
  }

  get first(): string {
    return this.texts[0] ?? "";
  }

  document(text: string): PolicyDocument {
    return JSON.parse(text) as PolicyDocument;
  }

  /** Undefined: none of these. */
  kindOf(hash: string): Kind | undefined {
    return this.#byHash.get(hash)?.kind;
  }

  /** The most that a plan has under any policy of the run. */
  limitsOf(plan: number): Limits {
    const plans = this.#plansNumbered(plan);
    const maxTokens = Math.max(...plans.map((one) => one.maxTokens));
    return { maxTokens, refillRate: Math.max(...plans.map((one) => one.tokenRefillRate ?? 0)) };
  }

  /** The same of a further limit, and the least that it holds under any. */
  limitOf(plan: number, name: string): Limits & { readonly leastTokens: number } {
    const found = this.#bucketsNumbered(plan).flatMap(({ further }) => further.filter((one) => one.name === name));
    const tokens = found.map(({ capacityPico }) => Number(capacityPico / BigInt(PICO_PER_TOKEN)));
    const refillRate = Math.max(...found.map(({ perSecond }) => perSecond));
    return { maxTokens: Math.max(...tokens), leastTokens: Math.min(...tokens), refillRate };
  }

  /** A plan under the policy with this hash; undefined: the first one, which is that of the settings. */
  bucketsOf(hash: string | undefined, plan: number): PlanBuckets | undefined {
    const variant = hash === undefined ? this.#variants[0] : this.#byHash.get(hash);
    return variant?.buckets.find(({ planId }) => planId === plan);
  }

  /** The limits that an annex with this tag has levels of, in their order. */
  namesOf(tag: string): readonly string[] {
    return this.#names.get(tag) ?? [];
  }

  /** The least that any policy of the run lets a bucket hold. */
  leastTokens(plan: number): number {
    return Math.min(...this.#plansNumbered(plan).map((one) => one.maxTokens));
  }

  /** The control plane validates less than filters do: it is newer than they are. */
  readPolicyDocument(text: string): AcceptedPolicy {
    const variant = this.#variants.find((one) => one.text === text) ?? this.#variants[0];
    return { policy: this.#forPlane(variant?.plans ?? []), policyJson: text };
  }

  #forPlane(plans: Variant["plans"]): PlansOfPolicy {
    return {
      plans: plans.map((plan) => ({
        ...{ ...plan, ...this.parts.plan, maxTokens: Math.max(plan.maxTokens, 1) },
        ...{ tokenBudget: null, scope: "edge", maxSessionsPerUser: null, onMaxSessions: "refuse" },
      })),
      controlPlane: { reportInterval: REPORT_INTERVAL_MS },
      sessions: { cleanupInterval: 1000 },
    };
  }

  #plansNumbered(plan: number): Variant["plans"] {
    return this.#variants.flatMap(({ kind, plans }) =>
      kind === "rejected" ? [] : plans.filter(({ id }) => id === plan),
    );
  }

  #bucketsNumbered(plan: number): readonly PlanBuckets[] {
    const open = this.#variants.filter(({ kind }) => kind !== "rejected");
    return open.flatMap(({ buckets }) => buckets.filter(({ planId }) => planId === plan));
  }

  #variant(kind: Kind, which: 0 | 1 | 2): Variant {
    const { times, rates } = FIGURES[which];
    const maxTokens = kind === "rejected" ? 0 : Math.max(1, Math.floor(this.parts.maxTokens * times));
    const written = rates.map((tokenRefillRate, id) => {
      const limits = this.#limitsOf(id, which);
      return { id, name: `plan-${id}`, maxTokens, tokenRefillRate, limits };
    });
    const plans = written.map((plan) => ({ ...plan, refill: null, limits: plan.limits.toSorted(byName) }));
    const header = kind === "closed" ? { header: "x-api-key" } : {};
    const documents = written.map(({ limits, ...plan }) => ({
      ...{ ...plan, ...this.parts.plan, ...(limits.length > 0 && { limits: limits.map(documentOf) }) },
    }));
    const routes = routesFor(written.flatMap(({ limits }) => limits));
    const document = { version: 1, ...header, plans: documents, ...(this.parts.limitTokens > 0 && { routes }) };
    const text = JSON.stringify({ ...document, ...this.parts.rest });
    return { kind, plans, buckets: plans.map(bucketsOfPlan), text };
  }

  #limitsOf(plan: number, which: number): readonly Limit[] {
    const { limitTokens, firstLimits } = this.parts;
    return limitTokens === 0 ? [] : limitsOfPlan(which + firstLimits, plan, limitTokens);
  }
}

const namesOf = (limits: readonly Limit[]): string[] => limits.map(({ name }) => name);
const byName = (one: Limit, other: Limit): number => (one.name < other.name ? -1 : 1);

export function policyHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, POLICY_HASH_CHARS);
}
