// The fault profile of a run: how probable each fault is. Drawn from the seed, so that some runs have many faults of few
// kinds.
import { Random } from "../../host/harness/host/random.js";

/** Chances are of a step, unless they say otherwise. */
export interface FaultProfile {
  readonly onUnreachable: "trust" | "deny";
  /** Of a message. */
  readonly lost: number;
  readonly doubled: number;
  /** Of a message: others that were sent later pass it. */
  readonly held: number;
  readonly envoyCrash: number;
  readonly planeCrash: number;
  /** The control plane goes away for a while. */
  readonly outage: number;
  /** An edge and the control plane do not reach each other for a while. */
  readonly cutOff: number;
  readonly reload: number;
  readonly reconfigure: number;
  readonly restore: number;
  readonly revoke: number;
  /** A session is to be asked about again, as after a change of its plan. */
  readonly refresh: number;
  readonly trim: number;
  readonly sweep: number;
  /** Time passes. */
  readonly passing: number;
  /** Of a step that lets time pass. */
  readonly longPause: number;
  /** Of a step that lets time pass: seconds do. */
  readonly striding: number;
  /** Of a step that lets time pass: so many minutes do that a silent instance is gone. */
  readonly ages: number;
  /** How much more time passes than a busy edge would let pass. */
  readonly stride: number;
  /** Of a step: it is atomic, so all that it begins is done at once and not a host call at a time. */
  readonly atomicSteps: number;
  /** Of a report: a backup is restored before it arrives. */
  readonly delayedReport: number;
  /** Of an answer to an ask: its worker sleeps when it comes. */
  readonly stallProbability: number;
  /** Of an answer in a step that is not atomic: its worker falls asleep somewhere in its middle. */
  readonly shortStallProbability: number;
  /** Of a request: it comes by its session's own connection, and so to the same worker each time. */
  readonly pinned: number;
  /** Sets of the table that sessions have: all the same one, the first ones the same, or each its own. */
  readonly sets: "one" | "some" | "own";
  /** Sessions that have logged in at the beginning. */
  readonly atFirst: number;
  /** So many of the newest sessions are used most. */
  readonly favourites: number;
  readonly maxAgeMs: number;
  readonly maxTokens: number;
  /** What the further limits of the plans hold, about; 0: there are none. */
  readonly limitTokens: number;
  /** Which set of limits the first policy has. */
  readonly firstLimits: number;
  /** The operator saves another policy, or one of those before. */
  readonly publish: number;
  /** Another process takes over from the control plane's, which finishes what it has under way. */
  readonly handOver: number;
  /** The store has another log from then on, while the control plane runs. */
  readonly otherLog: number;
  /** Of an Envoy's life: its settings have a policy. */
  readonly ownPolicy: number;
  /** Of a VM's life: it runs another build than the first. */
  readonly otherBuild: number;
  /** Of a step while a VM tries a policy: that ends it, and another VM starts in its place. */
  readonly trapsInTry: number;
}

export function faultProfileOf(seed: number): FaultProfile {
  const random = new Random(seed ^ 0x5eed);
  const some = (chance: number): number => (random.chance(0.5) ? chance : 0);
  const mixed: FaultProfile = {
    onUnreachable: random.chance(0.4) ? "trust" : "deny",
    lost: some(0.15),
    doubled: some(0.15),
    held: 0,
    envoyCrash: some(0.001),
    planeCrash: some(0.003),
    outage: some(0.001),
    cutOff: 0,
    reload: some(0.002),
    reconfigure: some(0.002),
    restore: some(0.0015),
    revoke: some(0.01),
    refresh: some(0.003),
    trim: some(0.004),
    sweep: some(0.004),
    passing: 0.04,
    longPause: some(0.01),
    striding: 0,
    ages: 0,
    stride: random.pick([1, 1, 1, 8]),
    atomicSteps: some(0.3),
    delayedReport: 0,
    stallProbability: 0,
    shortStallProbability: 0.15,
    pinned: 0,
    sets: "some",
    // More than a set of the table has slots.
    atFirst: 19,
    favourites: 4,
    // The least that a policy may say, at four reports.
    maxAgeMs: 400,
    maxTokens: 4,
    limitTokens: 0,
    firstLimits: 0,
    otherLog: 0,
    ...policyOf(seed),
  };
  return withOtherLogs(withLimits(kindOfRun(mixed, random), seed), seed);
}

function kindOfRun(mixed: FaultProfile, random: Random): FaultProfile {
  const roll = random.below(100);
  if (roll < 15) return slow(mixed, random);
  if (roll < 45) return sharedSet(mixed, random);
  if (roll < 58) return revocations(mixed);
  if (roll < 63) return forgottenEdges(mixed);
  return mixed.publish > 0 ? policyChanges(mixed) : mixed;
}

/** In half of the runs the policy changes while everything else happens. Drawn apart: the rest stays as it is. */
function policyOf(
  seed: number,
): Pick<FaultProfile, "publish" | "handOver" | "ownPolicy" | "otherBuild" | "trapsInTry"> {
  const random = new Random(seed ^ 0x9011c7);
  if (random.chance(0.5)) return { publish: 0, handOver: 0, ownPolicy: 1, otherBuild: 0, trapsInTry: 0 };
  const some = (chance: number): number => (random.chance(0.5) ? chance : 0);
  return { publish: 0.006, handOver: some(0.003), ownPolicy: 0.5, otherBuild: some(0.4), trapsInTry: some(0.03) };
}

/** In half of the runs plans have further limits, which mostly deny before the own bucket. Drawn apart as well. */
function withLimits(faultProfile: FaultProfile, seed: number): FaultProfile {
  const random = new Random(seed ^ 0x11317);
  if (random.chance(0.5)) return faultProfile;
  const { maxTokens } = faultProfile;
  const limitTokens = Math.min(maxTokens, 20);
  return { ...faultProfile, limitTokens, firstLimits: random.below(3), maxTokens: maxTokens * random.pick([1, 3]) };
}

/** In a quarter of the runs the store's primary is replaced now and then. Drawn apart as well. */
function withOtherLogs(faultProfile: FaultProfile, seed: number): FaultProfile {
  const random = new Random(seed ^ 0x106);
  return random.chance(0.25) ? { ...faultProfile, otherLog: 0.003 } : faultProfile;
}

/** Minutes pass, and few sessions are used: the control plane must not end those for idleness. */
function slow(faultProfile: FaultProfile, random: Random): FaultProfile {
  const away = random.pick([
    { outage: 0.004, cutOff: 0, pinned: 0.95 },
    { outage: 0, cutOff: 0.006 },
  ]);
  const time = { striding: 0.5, longPause: 0, stride: 1, maxAgeMs: 8000 };
  const use = { atomicSteps: 0.5, favourites: 2, maxTokens: 1000, restore: 0, revoke: 0 };
  return { ...faultProfile, ...time, ...use, ...away, sweep: 0.08 };
}

/** Many sessions of one set evict each other, while messages or workers are slow. */
function sharedSet(faultProfile: FaultProfile, random: Random): FaultProfile {
  const calm = { envoyCrash: 0, planeCrash: 0, outage: 0, sweep: 0, revoke: 0, trim: 0, restore: 0 };
  const time = { passing: 0.07, stride: 1, longPause: 0, atomicSteps: 0.7, refresh: 0.02 };
  const slow = random.pick([
    { held: 0.1, lost: 0, passing: 0.12 },
    { delayedReport: 0.3, lost: 0, passing: 0.12 },
    { stallProbability: 0.8 },
    { stallProbability: 0.8 },
  ]);
  return { ...faultProfile, ...calm, ...time, ...slow, sets: "one", atFirst: 30, maxTokens: random.pick([4, 20]) };
}

/** Revocations, and backups that lack them: leaders sleep in the middle of a revocation while a backup is restored. */
function revocations(faultProfile: FaultProfile): FaultProfile {
  const calm = { envoyCrash: 0, planeCrash: 0, outage: 0, trim: 0, sweep: 0 };
  return {
    ...faultProfile,
    ...calm,
    revoke: 0.02,
    restore: 0.004,
    longPause: 0.01,
    atomicSteps: 0.6,
    shortStallProbability: 0.6,
    sets: "own",
  };
}

/** Envoys crash, and the control plane forgets them before their sessions are used again. */
function forgottenEdges(faultProfile: FaultProfile): FaultProfile {
  const calm = { planeCrash: 0, outage: 0, restore: 0, revoke: 0 };
  return {
    ...faultProfile,
    ...calm,
    envoyCrash: 0.002,
    ages: 0.05,
    atomicSteps: 0.5,
    maxAgeMs: 3_600_000,
    sweep: 0.01,
  };
}

/** One policy follows the other, over calls that are slow, VMs that take the lead from each other, and backups. */
function policyChanges(faultProfile: FaultProfile): FaultProfile {
  const calm = { planeCrash: 0, outage: 0, trim: 0, sweep: 0, refresh: 0, revoke: 0 };
  const policy = { publish: 0.02, handOver: 0.004, restore: 0.003, reload: 0.004, reconfigure: 0.003 };
  const time = { stride: 1, striding: 0.1, longPause: 0.02, passing: 0.06 };
  return {
    ...faultProfile,
    ...calm,
    ...policy,
    ...time,
    held: 0.2,
    atomicSteps: 0.5,
    shortStallProbability: 0.5,
    sets: "own",
  };
}
