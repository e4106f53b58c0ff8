// The whole of Sluice in one thread: two Envoys with two workers each run the built filter, and the control plane's use
// cases run over a store in steps. What happens to it, others decide (course.ts).
import { Random } from "../host/random.js";
import type { PolicyDocument } from "../host/edge.js";
import type { Session } from "../host/tokens.js";
import { Idleness } from "./idleness.js";
import { Installation, logName } from "./installation.js";
import { Ledger, type Life, type Limits } from "./ledger.js";
import { SimEdge } from "./sim-edge.js";
import { SimPlane } from "./sim-plane.js";
import { SimStore } from "./sim-store.js";
import { msOfMonotonic, SimTime } from "./sim-time.js";
import { fail } from "./violation.js";
import { weatherOf, type Weather } from "./weather.js";

/** Of one set of the table, more than it has places: they make room for each other. */
const MATES = 19;

/** Sessions to draw from: mates share one set of the table, others have sets of their own. */
export interface SessionPool {
  readonly mates: readonly Session[];
  readonly others: readonly Session[];
}

export class World {
  /** All that happened, in order. */
  readonly trace: string[] = [];
  readonly weather: Weather;
  readonly random: Random;
  readonly time = new SimTime();
  readonly idleness: Idleness;
  readonly ledger: Ledger;
  readonly store: SimStore;
  readonly edges: readonly SimEdge[];
  readonly sessions: readonly Session[];
  plane: SimPlane;
  /** No faults any more. */
  isCalm = false;
  /** The control plane answers nobody until then. */
  awayUntilMs = 0;
  /** Nothing that an edge sends, or is sent, arrives until then. */
  readonly cutOffUntilMs = new Map<string, number>();
  #loggedIn = 0;
  readonly #installation: Installation;
  readonly #lives: Life[] = [];

  constructor(
    readonly seed: number,
    { mates, others }: SessionPool,
    module: WebAssembly.Module,
  ) {
    this.random = new Random(seed);
    this.weather = weatherOf(seed);
    const sessions = { one: mates, some: [...mates.slice(0, MATES), ...others], own: others }[this.weather.sets];
    this.sessions = sessions;
    const { time } = this;
    const installation = new Installation(this.weather);
    this.#installation = installation;
    const limits = new Map(sessions.map(({ id }, index) => [id, installation.limitsOf(index)]));
    const nowMs = (): number => time.nowMs;
    const trust = this.weather.onUnreachable === "trust";
    const limitsOf = (id: string): Limits => limits.get(id) ?? installation.limitsOf(0);
    this.idleness = new Idleness({ nowMs, maxAgeMs: this.weather.maxAgeMs, graceMs: installation.graceMs });
    this.ledger = new Ledger({ limitsOf, nowMs, msOf: msOfMonotonic, trust, idleness: this.idleness });
    this.store = this.#newStore();
    while (this.#loggedIn < this.weather.atFirst) this.logInNext();
    this.plane = this.#newPlane();
    const policyOf = (generation: number): PolicyDocument => installation.policyOfEdge(generation);
    const parts = { module, ledger: this.ledger, nowMs, policyOf };
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
    const newest = this.sessions.slice(this.#loggedIn - this.weather.favourites, this.#loggedIn);
    return this.random.pick(this.random.chance(0.6) ? newest : this.sessions.slice(0, this.#loggedIn));
  }

  /** Any, with no favourites. */
  evenSession(): Session {
    return this.random.pick(this.sessions.slice(0, this.#loggedIn));
  }

  /** Whether a session's connection ends at this worker of this edge. */
  isHome(session: Session, edge: SimEdge, worker: number): boolean {
    const home = this.sessions.indexOf(session) % (this.edges.length * edge.workers.length);
    return this.edges[home % this.edges.length] === edge && Math.floor(home / this.edges.length) === worker;
  }

  logInNext(): void {
    const session = this.sessions[this.#loggedIn];
    if (session === undefined) return;
    this.store.sessions.set(session.id, this.#installation.issued(session.id, this.#loggedIn, this.time.nowMs));
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
    this.plane = this.#newPlane();
    this.idleness.planeStarted();
  }

  isCutOff({ life }: SimEdge): boolean {
    return !this.isCalm && this.time.nowMs < (this.cutOffUntilMs.get(life.edge) ?? 0);
  }

  #newPlane(): SimPlane {
    return new SimPlane(this.store, this.#installation.policyOfPlane(), this.time.planeClock, this.time);
  }

  #newStore(): SimStore {
    return new SimStore(logName(1), {
      reported: (rows) => {
        for (const { sessionId, instance, consumed } of rows) {
          this.#expectSpent(sessionId, instance, consumed);
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
    });
  }

  /** What is reported was spent. */
  #expectSpent(sessionId: string, instance: string, reported: number): void {
    const life = this.#lives.find((one) => one.instance() === instance);
    const spent = life === undefined ? 0 : this.ledger.spentIn(life, sessionId);
    if (reported > spent) fail("consumed", `${sessionId} at ${instance}: ${reported} reported, ${spent} spent`);
  }
}
