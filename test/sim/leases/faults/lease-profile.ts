// What goes wrong in a run of the simulation of leases and how often, drawn from its seed.
import { Random } from "../../../host/harness/host/random.js";
import type { Bucket, Variant } from "../parts/lease-policies.js";
import { aimAtSettling, alsoSettling } from "./settling-profile.js";

/** Chances are of a step, unless it is said otherwise. */
export interface LeaseProfile {
  readonly planes: 1 | 2;
  /** ms by which the wall clocks of the control planes differ. */
  readonly skewMs: number;
  readonly first: Variant;
  /** What the plan may become. */
  readonly others: readonly Variant[];
  readonly change: number;
  /** Of a chance to ask something: a client does. */
  readonly demand: number;
  /** Of a request's path. */
  readonly dear: number;
  readonly searches: number;
  /** Of a message's way: it is lost. */
  readonly lost: number;
  /** Of a call: it arrives twice, once perhaps later. */
  readonly doubled: number;
  /** Of a message's way: it takes longer, up to so many ms. */
  readonly held: number;
  readonly heldMs: number;
  readonly envoyCrash: number;
  readonly reload: number;
  readonly evict: number;
  readonly planeCrash: number;
  /** ms after which it is there again, at most. */
  readonly restartMs: number;
  /** A control plane stands still for up to so many ms. */
  readonly planeStall: number;
  readonly stallMs: number;
  /** A worker stands still in the middle of what it does. */
  readonly workerStall: number;
  /** The store goes on with what a replica has. */
  readonly failover: number;
  /** Only while an edge has something to spend, and what froze before has thawed. */
  readonly failoverInUse: boolean;
  /** ms that the replica is behind, at most. */
  readonly behindMs: number;
  /** Of a step of the store: its answer is lost. */
  readonly storeLost: number;
  /** The wall clock of a control plane is set. */
  readonly clockSet: number;
  readonly revoke: number;
  /** Time passes: up to so many ms, or up to some seconds. */
  readonly pause: number;
  readonly pauseMs: number;
  readonly longPause: number;
  /** So much that what nobody uses may be evicted. */
  readonly rest: number;
  /** Of a worker's work: it is done without a break. */
  readonly atomic: number;
  /** The response of a request comes that reserved; 0: none does. */
  readonly settles: number;
  /** By edge, how much of the load it has. */
  readonly load: readonly number[];
}

const fleet = (own: Bucket, search?: Bucket): Variant => ({ scope: "fleet", own, search });

/** At a few rules each, with budgets so small that any token shows. */
const AIMS = { lives: aimAtLives, copies: aimAtCopies, clocks: aimAtClocks, settling: aimAtSettling } as const;
export type Aim = keyof typeof AIMS;
const NAMES: readonly Aim[] = ["lives", "copies", "clocks"];
/** Of eight seeds one has this aim, and another one has requests that settle while all else goes on. */
const SETTLING = 3;
const SETTLING_TOO = 7;

/** Most seeds that are odd draw from all that there is, the others have an aim in turn. */
function aimOf(seed: number): Aim | undefined {
  if (seed % 8 === SETTLING) return "settling";
  return seed % 2 === 0 ? NAMES[(seed / 2) % NAMES.length] : undefined;
}

/** The first seeds that have this aim; without one, the first seeds. */
export function seedsOf(aim: Aim | undefined, count: number): readonly number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count; seed++) if (aim === undefined || aimOf(seed) === aim) seeds.push(seed);
  return seeds;
}

export function leaseProfileOf(seed: number): LeaseProfile {
  const random = new Random(seed ^ 0x1ea5e);
  const any = anyProfile(random);
  const aim = aimOf(seed);
  if (aim !== undefined) return { ...any, ...QUIET, ...AIMS[aim](random) };
  return seed % 8 === SETTLING_TOO ? alsoSettling(any, random) : any;
}

/** What no aim needs. */
const QUIET = {
  ...{
    others: [],
    change: 0,
    searches: 0,
    dear: 0,
    lost: 0,
    doubled: 0,
    held: 0,
    heldMs: 300,
    envoyCrash: 0,
    reload: 0,
  },
  ...{
    evict: 0,
    planeCrash: 0,
    planeStall: 0,
    workerStall: 0,
    failover: 0,
    storeLost: 0,
    clockSet: 0,
    revoke: 0,
    rest: 0,
  },
  ...{ longPause: 0, atomic: 0.8, settles: 0 },
} satisfies Partial<LeaseProfile>;

/** The store forgets what it has just acknowledged, while edges hold leases that they spend slowly. */
function aimAtLives(random: Random): Partial<LeaseProfile> {
  return {
    first: fleet({ maxTokens: random.pick([8, 20]), tokenRefillRate: random.pick([20, 100]) }),
    demand: random.pick([0.05, 0.15, 0.5]),
    ...{ failover: 0.1, failoverInUse: true, behindMs: random.pick([200, 1000]) },
    ...{ evict: 0.02, lost: random.pick([0, 0.05]), planeCrash: 0.002 },
    ...{ pause: 0.2, pauseMs: random.pick([150, 400]), longPause: 0.002 },
  };
}

/** Calls and answers come late, twice or never, and sessions are found gone. */
function aimAtCopies(random: Random): Partial<LeaseProfile> {
  return {
    first: fleet({ maxTokens: random.pick([20, 60]), tokenRefillRate: random.pick([2, 20, 200]) }),
    demand: random.pick([0.1, 0.4, 1]),
    ...{ lost: random.pick([0, 0.15]), doubled: 0.4, held: 0.4, heldMs: random.pick([300, 1500]), workerStall: 0.005 },
    ...{ evict: 0.03, reload: 0.003, revoke: random.pick([0, 0.002]), storeLost: random.pick([0, 0.05]) },
    ...{ pause: random.pick([0.05, 0.1]), pauseMs: random.pick([100, 400]), longPause: 0.002 },
  };
}

/** Control planes come and go, one at a time or both for long, and tell the time from another second on. */
function aimAtClocks(random: Random): Partial<LeaseProfile> {
  const isLong = random.chance(0.5);
  return {
    first: fleet({ maxTokens: random.pick([8, 20]), tokenRefillRate: isLong ? 1 : random.pick([20, 60, 200]) }),
    demand: isLong ? 1 : random.pick([0.1, 1]),
    ...{ planes: isLong ? 1 : 2, planeCrash: isLong ? 0.004 : 0.02, restartMs: isLong ? 12_000 : 600 },
    ...{ evict: isLong ? 0.1 : 0, rest: isLong ? 0.004 : 0, longPause: isLong ? 0 : 0.003 },
    ...{ pause: 0.1, pauseMs: random.pick([40, 200, 2000]), planeStall: isLong ? 0 : 0.003, stallMs: 300 },
  };
}

function anyProfile(random: Random): LeaseProfile {
  const some = (chance: number): number => (random.chance(0.5) ? chance : 0);
  const seldom = (chance: number): number => (random.chance(0.2) ? chance : 0);
  const own = { maxTokens: random.pick([8, 20, 60]), tokenRefillRate: random.pick([0, 5, 50, 50, 200]) };
  const search = random.chance(0.3)
    ? { maxTokens: random.pick([6, 15]), tokenRefillRate: random.pick([0, 20]) }
    : undefined;
  const first = fleet(own, search);
  const changes = random.chance(0.15);
  const others = [
    fleet({ ...own, tokenRefillRate: own.tokenRefillRate * 2 }, search),
    fleet({ ...own, maxTokens: Math.max(7, Math.floor(own.maxTokens / 2)) }, search),
    fleet({ ...own, maxTokens: own.maxTokens * 2 }, search),
    ...(random.chance(0.5) ? [{ ...first, scope: "edge" as const }] : []),
  ];
  return {
    planes: random.chance(0.7) ? 2 : 1,
    skewMs: random.pick([0, 0, 700, 5000, -5000]),
    ...{ first, others, change: changes ? 0.003 : 0 },
    demand: random.pick([1, 1, 0.2]),
    ...{ dear: some(0.08), searches: search === undefined ? 0 : 0.4 },
    ...{ lost: some(0.1), doubled: some(0.15), held: some(0.2), heldMs: random.pick([20, 300, 1500, 6000]) },
    ...{ envoyCrash: some(0.002), reload: some(0.003), evict: some(0.02), planeCrash: some(0.003), restartMs: 1500 },
    ...{ planeStall: some(0.002), stallMs: random.pick([300, 2500, 8000]), workerStall: some(0.01) },
    ...{
      failover: random.chance(0.3) ? 0.008 : 0,
      failoverInUse: false,
      behindMs: random.pick([50, 1000, 6000]),
      storeLost: some(0.03),
    },
    ...{ clockSet: some(0.002), revoke: seldom(0.001) },
    ...{
      ...{ pause: random.pick([0.02, 0.08]), pauseMs: 40 },
      longPause: random.pick([0, 0.002, 0.004]),
      rest: seldom(0.003),
      atomic: random.pick([0.3, 0.8, 0.95]),
    },
    settles: 0,
    load: random.pick([
      [1, 1, 1],
      [6, 1, 1],
      [1, 0.05, 0],
    ]),
  };
}
