// The whole of Sluice in one thread: two Envoys with two workers each run the built filter, and the control plane's use
// cases run over a store in steps. The schedule decides what happens (schedule.ts).
import { Random } from "../../host/harness/host/random.js";
import type { Session } from "../../host/harness/scenes/tokens.js";
import { Idleness } from "../invariants/idleness.js";
import { Installation, logName } from "./installation.js";
import { Ledger, type Life, type Limits } from "../invariants/ledger.js";
import { PolicyFile } from "./policy-file.js";
import { PATHS, type Path } from "./plan-limits.js";
import { policyHash, type Policies } from "./policies.js";
import type { Builds } from "./sim-filter.js";
import { SimEdge, type SimEdgeParts } from "./sim-edge.js";
import { SimPlane } from "./sim-plane.js";
import { SimStore } from "./sim-store.js";
import { msOfMonotonic, SimTime } from "./sim-time.js";
import { fail } from "../invariants/violation.js";
import { faultProfileOf, type FaultProfile } from "../faults/fault-profile.js";

/** Sessions of one set of the table, more than it has slots: they evict each other. */
const OF_ONE_SET = 19;

/** Sessions to draw from: those of one set of the table, and others with sets of their own. */
export interface SessionPool {
  readonly ofOneSet: readonly Session[];
  readonly others: readonly Session[];
}

export class World {
  /** All that happened, in order. */
  readonly trace: string[] = [];
  readonly faultProfile: FaultProfile;
  readonly random: Random;
  readonly time = new SimTime();
  readonly idleness: Idleness;
  readonly ledger: Ledger;
  readonly store: SimStore;
  readonly edges: readonly SimEdge[];
  readonly sessions: readonly Session[];
  /** The policies of the run, and the file in which the operator writes one of them. */
  readonly policies: Policies;
  readonly file: PolicyFile;
  plane: SimPlane;
  /** The process before, which still finishes what it has under way. */
  retiring: SimPlane | undefined;
  /** No faults any more. */
  isCalm = false;
  /** The control plane answers no edge until then. */
  awayUntilMs = 0;
  /** Nothing that an edge sends, or is sent, arrives until then. */
  readonly cutOffUntilMs = new Map<string, number>();
  #loggedIn = 0;
  readonly #installation: Installation;
  readonly #lives: Life[] = [];

  constructor(
    readonly seed: number,
    { ofOneSet, others }: SessionPool,
    builds: Builds,
  ) {
    this.random = new Random(seed);
    this.faultProfile = faultProfileOf(seed);
    const sessions = { one: ofOneSet, some: [...ofOneSet.slice(0, OF_ONE_SET), ...others], own: others }[
      this.faultProfile.sets
    ];
    this.sessions = sessions;
    const { time } = this;
    const installation = new Installation(this.faultProfile);
    this.#installation = installation;
    const limits = new Map(sessions.map(({ id }, index) => [id, installation.limitsOf(index)]));
    const nowMs = (): number => time.nowMs;
    const trust = this.faultProfile.onUnreachable === "trust";
    const limitsOf = (id: string): Limits => limits.get(id) ?? installation.limitsOf(0);
    this.idleness = new Idleness({ nowMs, maxAgeMs: this.faultProfile.maxAgeMs, graceMs: installation.graceMs });
    const least = new Map(sessions.map(({ id }, index) => [id, installation.leastTokensOf(index)]));
    const leastTokensOf = (id: string): number => least.get(id) ?? 0;
    this.policies = installation.policies;
    this.ledger = new Ledger({
      ...{ limitsOf, leastTokensOf, nowMs, msOf: msOfMonotonic, trust, idleness: this.idleness },
      limits: {
        limitOf: (planId, name) => this.policies.limitOf(planId, name),
        namesOf: (tag) => this.policies.namesOf(tag),
      },
    });
    this.file = new PolicyFile(this.policies.first);
    this.store = this.#newStore();
    while (this.#loggedIn < this.faultProfile.atFirst) this.logInNext();
    this.plane = this.#newPlane();
    const parts = this.#edgeParts(builds);
    this.edges = ["gw-1", "gw-2"].map((name) => new SimEdge({ name, ...parts }));
    for (const edge of this.edges) this.noteLife(edge);
  }

  pass(ms: number): void {
    for (const edge of this.edges) edge.advance(ms);
    this.time.pass(ms);
    if (this.awayUntilMs === 0 || this.isPlaneAway) return;
    this.awayUntilMs = 0;
    this.restartPlane();
  }

  note(what: string): void {
    this.trace.push(`${this.time.nowMs} ms ${what}`);
  }

  get isPlaneAway(): boolean {
    return this.time.nowMs < this.awayUntilMs;
  }

  /** The newest sessions are used most. */
  anySession(): Session {
    const newest = this.sessions.slice(this.#loggedIn - this.faultProfile.favourites, this.#loggedIn);
    return this.random.pick(this.random.chance(0.6) ? newest : this.sessions.slice(0, this.#loggedIn));
  }

  /** Any, with no favourites. */
  evenSession(): Session {
    return this.random.pick(this.sessions.slice(0, this.#loggedIn));
  }

  /** Where no limit tells one from the other it is always the same. */
  anyPath(): Path {
    return this.faultProfile.limitTokens === 0 ? "/" : this.random.pick([...PATHS]);
  }

  /** Whether a session's connection ends at this worker of this edge. */
  isHome(session: Session, edge: SimEdge, worker: number): boolean {
    const home = this.sessions.indexOf(session) % (this.edges.length * edge.workers.length);
    return this.edges[home % this.edges.length] === edge && Math.floor(home / this.edges.length) === worker;
  }

  logInNext(): void {
    const session = this.sessions[this.#loggedIn];
    if (session === undefined) return;
    this.store.add(this.#installation.issued(session.id, this.#loggedIn, this.time.nowMs));
    this.idleness.loggedIn(session.id);
    this.#loggedIn += 1;
  }

  /** A table has begun its life. */
  noteLife({ life }: SimEdge): void {
    this.#lives.push(life);
  }

  /** The control plane's process dies, with all that it had not committed, and another one starts. */
  restartPlane(): void {
    this.store.crash();
    this.time.dropTimers();
    this.file.forgetFollowers();
    this.plane.stop();
    this.endHandOver();
    this.plane = this.#newPlane();
    this.idleness.planeStarted();
  }

  /** Another process takes over; this one goes on with what it has, and with what still comes to it. */
  handOver(): void {
    this.endHandOver();
    this.retiring = this.plane;
    this.plane = this.#newPlane();
    this.idleness.planeStarted();
  }

  endHandOver(): void {
    this.retiring?.stop();
    this.retiring = undefined;
  }

  /** Whether the answers of this process arrive. */
  isReachable(plane: SimPlane): boolean {
    return plane === this.plane || plane === this.retiring;
  }

  isCutOff({ life }: SimEdge): boolean {
    return !this.isCalm && this.time.nowMs < (this.cutOffUntilMs.get(life.edge) ?? 0);
  }

  #edgeParts([build, other]: Builds): Omit<SimEdgeParts, "name"> {
    const { random, faultProfile, policies, ledger, time } = this;
    const drawn = <T>(chance: number, one: T, other: T): T =>
      chance >= 1 || (chance > 0 && random.chance(chance)) ? one : other;
    return {
      ledger,
      nowMs: () => time.nowMs,
      ownPolicy: () => drawn(faultProfile.ownPolicy, policies.document(policies.first), null),
      build: () => drawn(faultProfile.otherBuild, other, build),
      policies,
    };
  }

  #newPlane(): SimPlane {
    const { store, time, file, policies } = this;
    return new SimPlane({ store, clock: time.planeClock, timers: time, file, validate: policies });
  }

  #newStore(): SimStore {
    return new SimStore(
      logName(1),
      { generation: 1, policyJson: this.policies.first, hash: policyHash(this.policies.first), atMs: 0, source: "" },
      {
        reported: (rows) => {
          for (const { sessionId, instance, figures } of rows) {
            const { consumed, rev } = figures ?? { consumed: 0, rev: 0 };
            this.#reported(sessionId, instance, consumed, rev);
            this.idleness.reported(sessionId, instance, consumed);
          }
        },
        revoked: (id, log, number) => {
          this.ledger.revoked(id, log, number);
        },
        endedForIdleness: ({ id }) => {
          this.idleness.ended(id);
          this.logInNext();
        },
      },
    );
  }

  /** What is reported was spent. */
  #reported(sessionId: string, instance: string, reported: number, rev: number): void {
    const life = this.#lives.find((one) => one.instance() === instance);
    if (life !== undefined) this.ledger.limits.spends.reported(life, sessionId, rev);
    const spent = life === undefined ? 0 : this.ledger.spentIn(life, sessionId);
    if (reported > spent) fail("consumed", `${sessionId} at ${instance}: ${reported} reported, ${spent} spent`);
  }
}
