// The policies that an operator publishes in a run: the same two plans with other figures, one that closes an API to
// these clients, and one that the filter rejects, as where the control plane is newer than the filter.
import { createHash } from "node:crypto";
import { POLICY_HASH_CHARS } from "../../../assembly/contract.js";
import type { AcceptedPolicy, PolicyValidator } from "../../../control-plane/src/app/ports/policy-ports.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../../control-plane/src/domain/plan.js";
import type { PolicyDocument } from "../../host/harness/scenes/documents.js";
import type { Limits } from "../invariants/ledger.js";

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
  readonly plan: { readonly maxAge: number; readonly lifetime: number };
  readonly rest: PolicyDocument;
}

interface Variant {
  readonly kind: Kind;
  readonly plans: readonly (Pick<PlanOfPolicy, "id" | "name" | "maxTokens"> & { readonly tokenRefillRate: number })[];
  readonly text: string;
}

export class Policies implements PolicyValidator {
  readonly #variants: readonly Variant[];
  readonly #byHash: ReadonlyMap<string, Variant>;

  constructor(private readonly parts: PoliciesParts) {
    const first = this.#variant("open", 0);
    const others = [this.#variant("open", 1), this.#variant("open", 2), this.#variant("closed", 0)];
    this.#variants = parts.change ? [first, ...others, this.#variant("rejected", 1)] : [first];
    this.#byHash = new Map(this.#variants.map((variant) => [policyHash(variant.text), variant]));
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
    return { maxTokens, refillRate: Math.max(...plans.map((one) => one.tokenRefillRate)) };
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
        ...{ refill: null, limits: [], tokenBudget: null, maxSessionsPerUser: null, onMaxSessions: "refuse" },
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

  #variant(kind: Kind, which: 0 | 1 | 2): Variant {
    const { times, rates } = FIGURES[which];
    const maxTokens = kind === "rejected" ? 0 : Math.max(1, Math.floor(this.parts.maxTokens * times));
    const plans = rates.map((tokenRefillRate, id) => ({ id, name: `plan-${id}`, maxTokens, tokenRefillRate }));
    const header = kind === "closed" ? { header: "x-api-key" } : {};
    const document = { version: 1, ...header, plans: plans.map((plan) => ({ ...plan, ...this.parts.plan })) };
    return { kind, plans, text: JSON.stringify({ ...document, ...this.parts.rest }) };
  }
}

export function policyHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, POLICY_HASH_CHARS);
}
