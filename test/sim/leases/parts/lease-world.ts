// The whole of a fleet in one thread: three Envoys with two workers each run the built filter, and one or two control planes run
// the real decisions over one store in memory. The schedule decides what happens (lease-schedule.ts).
import { LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { createSession } from "../../../../control-plane/src/domain/session.js";
import { Random } from "../../../host/harness/host/random.js";
import type { Session } from "../../../host/harness/scenes/tokens.js";
import { START_MS } from "../../parts/sim-time.js";
import { leaseProfileOf, type LeaseProfile } from "../faults/lease-profile.js";
import { BudgetRules } from "../invariants/budget-rules.js";
import { EdgeWitness } from "../invariants/edge-witness.js";
import { owedAt, PlainBuckets, spendableAt } from "../invariants/plain-buckets.js";
import { SpendLedger } from "../invariants/spend-ledger.js";
import { LeaseEdge, type Call } from "./lease-edge.js";
import { LeasePlane } from "./lease-plane.js";
import { BUCKETS, bucketOf, planesPolicyOf, type Bucket, type BucketName, type Variant } from "./lease-policies.js";
import { LeaseStore, type Copy } from "./lease-store.js";

const EDGES = ["gw-1", "gw-2", "gw-3"] as const;
/** A replica's copies are so old, one after the other. */
const COPY_US = 50_000;
const COPIES = 120;

/** A machine that runs one control plane's process after the other. */
export interface Machine {
  readonly index: number;
  /** Undefined: none runs. */
  plane: LeasePlane | undefined;
  skewMs: number;
  policy: Variant;
  /** µs until which its process stands still. */
  stalledUntilUs: number;
}

export class LeaseWorld {
  readonly trace: string[] = [];
  readonly profile: LeaseProfile;
  readonly random: Random;
  readonly store: LeaseStore;
  readonly ledger: SpendLedger;
  readonly edges: readonly LeaseEdge[];
  readonly machines: readonly Machine[];
  readonly sessions: readonly Session[];
  nowUs = 0;
  /** No faults any more. */
  isCalm = false;
  /** Settings that edges are given by now. */
  edgePolicy: Variant;
  /** Edge scope has a part in what happens. */
  isMixed = false;
  /** It had, at some time. */
  wasMixed = false;
  /** It had, but since then all go by plans of scope fleet again, for some time now. */
  isFleetAgain = false;
  #copies: { readonly atUs: number; readonly copy: Copy }[] = [];
  #processes = 0;
  readonly #buckets: ReadonlyMap<BucketName, Bucket>;
  readonly #budgetRules: BudgetRules;
  readonly #plain: PlainBuckets;
  readonly #witness: EdgeWitness;

  constructor(
    readonly seed: number,
    module: WebAssembly.Module,
    sessions: readonly Session[],
    profile = leaseProfileOf(seed),
  ) {
    this.profile = profile;
    this.random = new Random(seed);
    this.#buckets = largestOf(this.profile);
    this.#budgetRules = new BudgetRules(this.#buckets);
    const { first, planes } = this.profile;
    this.sessions = sessions;
    this.edgePolicy = first;
    const nowUs = (): number => this.nowUs;
    this.ledger = new SpendLedger({ buckets: this.#buckets, ttlUs: LEASE_TTL_MS * 1000 });
    this.store = new LeaseStore(
      (id) => {
        this.ledger.revoked(id, this.nowUs);
      },
      (changes) => {
        this.#plain.committed(changes, this.nowUs);
      },
    );
    const [plan] = planesPolicyOf(first).plans;
    if (plan === undefined) throw new RangeError("there is a plan");
    for (const { id } of sessions)
      this.store.add(createSession({ id, userId: "u", orgId: "o", metadata: {} }, plan, START_MS - 1000));
    this.#plain = new PlainBuckets({
      ...{ buckets: this.#buckets, mostOwed: leastOf(this.profile), ranUs: (untilUs) => this.ledger.ranUs(untilUs) },
      credited: (...what) => {
        this.ledger.credited(...what);
      },
    });
    const witness = new EdgeWitness({
      sessions: sessions.map(({ id }) => id),
      ...{ ledger: this.ledger, plain: this.#plain, nowUs, isFleet: () => !this.isMixed },
      holds: (name) => (this.profile.change > 0 ? undefined : this.#buckets.get(name)?.maxTokens),
    });
    this.#witness = witness;
    this.machines = Array.from({ length: planes }, (_, index) => ({
      ...{ index, plane: undefined, skewMs: index * this.profile.skewMs, policy: first, stalledUntilUs: 0 },
    }));
    for (const machine of this.machines) this.startPlane(machine);
    const policy = (): Variant => this.edgePolicy;
    this.edges = EDGES.map((name) => new LeaseEdge({ name, module, nowUs, witness, policy }));
    this.#copies.push({ atUs: 0, copy: this.store.copy() });
  }

  note(what: string): void {
    this.trace.push(`${(this.nowUs / 1000).toFixed(1)} ms ${what}`);
  }

  pass(us: number): void {
    this.nowUs += us;
    for (const edge of this.edges) edge.advance(us);
    for (const machine of this.machines) if (this.isUp(machine)) machine.plane?.pass();
    if (this.nowUs - (this.#copies.at(-1)?.atUs ?? 0) < COPY_US) return;
    this.#copies.push({ atUs: this.nowUs, copy: this.store.copy() });
    if (this.#copies.length > COPIES) this.#copies.shift();
  }

  isUp({ plane, stalledUntilUs }: Machine): boolean {
    return plane !== undefined && this.nowUs >= stalledUntilUs;
  }

  startPlane(machine: Machine): void {
    this.#processes += 1;
    machine.plane = new LeasePlane({
      name: `plane-${this.#processes}`,
      store: this.store,
      monotonicMs: () => 1_000_000 * machine.index + this.nowUs / 1000,
      wallMs: () => START_MS + Math.floor(this.nowUs / 1000) + machine.skewMs,
      isShared: this.profile.planes > 1,
      policy: () => planesPolicyOf(machine.policy),
    });
    this.#noteRunning();
  }

  /**
   * After another policy has come to some: what edges let through before under scope edge is not held against what they let through
   * once all go by scope fleet. From then on the bound holds again. Throws a Violation.
   */
  noteScopes(): void {
    if (!this.isMixed) return;
    const isFleet =
      this.machines.every(({ policy }) => policy.scope === "fleet") && this.edges.every((edge) => edge.isFleet);
    if (isFleet === this.isFleetAgain) return;
    if (this.isFleetAgain) this.ledger.expectWithin();
    else this.ledger.beginAnew();
    this.isFleetAgain = isFleet;
    this.note(isFleet ? "all go by scope fleet" : "some go by scope edge");
  }

  killPlane(machine: Machine): void {
    machine.plane?.kill();
    machine.plane = undefined;
    machine.stalledUntilUs = 0;
    this.#noteRunning();
  }

  /** The store goes on with what it had so many ms ago, about. */
  failOver(behindMs: number): void {
    const { copy } = this.#copies.findLast(({ atUs }) => atUs <= this.nowUs - behindMs * 1000) ?? this.#copies[0] ?? {};
    if (copy === undefined) return;
    const owed = this.#owedByStore();
    this.store.failOver(copy);
    const still = this.#owedByStore();
    for (const [at, { session, name, tokens }] of owed.entries())
      this.#plain.forgiven(session, name, Math.max(0, tokens - (still[at]?.tokens ?? 0)), this.nowUs);
    this.#copies = [{ atUs: this.nowUs, copy }];
    for (const { id } of this.sessions)
      if (this.store.record(id)?.session.revokedAt === null) this.ledger.revoked(id, undefined);
  }

  /** Throws a Violation. */
  expectBudgets(): void {
    this.#witness.wasRaised = false;
    for (const { id } of this.sessions) {
      const budget = this.store.record(id)?.budget;
      // Of a former life it is what it becomes at the next look.
      if (budget?.log !== this.store.log) continue;
      this.#budgetRules.expectBounds(id, budget);
      const edges = this.edges.map(({ edge }) => edge);
      if (!this.wasMixed) this.#plain.expectCovered(id, budget, edges, this.nowUs);
    }
  }

  /** An edge's table is about to lose a session, or all. */
  forgets({ edge }: LeaseEdge, ids: readonly string[]): void {
    for (const id of ids)
      for (const name of BUCKETS) this.#plain.forgiven(id, name, owedAt(edge, id, name), this.nowUs);
  }

  /** An ask is sent. Throws a Violation. */
  asked({ edge }: LeaseEdge, call: Call): void {
    if (!this.wasMixed) this.#witness.asked(edge, call);
  }

  /** Tokens of a bucket that a session owes, in the store and at edges. */
  owed(session: string, name: BucketName): number {
    const inStore = this.#owedByStore().find((one) => one.session === session && one.name === name)?.tokens ?? 0;
    return this.edges.reduce((sum, { edge }) => sum + owedAt(edge, session, name), inStore);
  }

  #owedByStore() {
    return this.sessions.flatMap(({ id }) =>
      BUCKETS.map((name) => {
        const micro = this.store.record(id)?.budget?.levels[name]?.micro ?? 0;
        return { session: id, name, tokens: Math.max(0, -micro) / 1e6 };
      }),
    );
  }

  /** Tokens of the plans' own buckets that edges may spend now. */
  tokensAtEdges(): number {
    const all = this.edges.flatMap(({ edge }) => this.sessions.map(({ id }) => spendableAt(edge, id, "")));
    return all.reduce((sum, tokens) => sum + tokens, 0);
  }

  /** The same, where an edge has more than it had. Throws a Violation. */
  expectRaised(): void {
    if (this.#witness.wasRaised) this.expectBudgets();
  }

  #noteRunning(): void {
    this.ledger.planesRun(
      this.nowUs,
      this.machines.some(({ plane }) => plane !== undefined),
    );
  }
}

/** The most that each bucket holds, and gains, under any policy that the run may have. */
function largestOf({ first, others, change }: LeaseProfile): ReadonlyMap<BucketName, Bucket> {
  const variants = change > 0 ? [first, ...others] : [first];
  const largest = new Map<BucketName, Bucket>();
  for (const name of BUCKETS) {
    const all = variants.flatMap((variant) => bucketOf(variant, name) ?? []);
    if (all.length === 0) continue;
    const most = (of: (bucket: Bucket) => number): number => Math.max(...all.map(of));
    const [maxTokens, tokenRefillRate] = [most((one) => one.maxTokens), most((one) => one.tokenRefillRate)];
    largest.set(name, { maxTokens, tokenRefillRate });
  }
  return largest;
}

/** What each bucket holds at least, under any policy that the run may have: more it never owes for sure. */
function leastOf({ first, others, change }: LeaseProfile): ReadonlyMap<BucketName, number> {
  const variants = change > 0 ? [first, ...others] : [first];
  return new Map(
    BUCKETS.map((name) => [name, Math.min(...variants.map((one) => bucketOf(one, name)?.maxTokens ?? Infinity))]),
  );
}
