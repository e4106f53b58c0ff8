// What a run of the simulation may meet: drawn from its seed, so that some runs meet much of little.
import { Random } from "../host/random.js";

/** Chances are of a step, unless they say otherwise. */
export interface Weather {
  readonly onUnreachable: "trust" | "deny";
  /** Of a message. */
  readonly lost: number;
  readonly doubled: number;
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
  readonly trim: number;
  readonly sweep: number;
  /** Time passes. */
  readonly passing: number;
  /** Of a step that lets time pass. */
  readonly longPause: number;
  /** Of a step that lets time pass: seconds do. */
  readonly striding: number;
  /** How much more time passes than a busy edge would let pass. */
  readonly stride: number;
  /** Of an answer to an ask: its worker sleeps when it comes. */
  readonly drowsy: number;
  /** So many of the newest sessions are used most. */
  readonly favourites: number;
  readonly maxAgeMs: number;
  readonly maxTokens: number;
}

export function weatherOf(seed: number): Weather {
  const random = new Random(seed ^ 0x5eed);
  const some = (chance: number): number => (random.chance(0.5) ? chance : 0);
  const mixed: Weather = {
    onUnreachable: random.chance(0.4) ? "trust" : "deny",
    lost: some(0.15),
    doubled: some(0.15),
    envoyCrash: some(0.001),
    planeCrash: some(0.003),
    outage: some(0.001),
    cutOff: 0,
    reload: some(0.002),
    reconfigure: some(0.002),
    restore: some(0.0015),
    revoke: some(0.01),
    trim: some(0.004),
    sweep: some(0.004),
    passing: 0.04,
    longPause: some(0.01),
    striding: 0,
    stride: random.pick([1, 1, 1, 8]),
    drowsy: 0,
    favourites: 4,
    // The least that a policy may say, at four reports.
    maxAgeMs: 400,
    maxTokens: 4,
  };
  const roll = random.below(100);
  if (roll < 20) return slow(mixed, some);
  return roll < 40 ? crowded(mixed) : mixed;
}

/** Minutes pass, few sessions are used all along, and who ends them for idleness must not have missed it. */
function slow(weather: Weather, some: (chance: number) => number): Weather {
  const restarts = { outage: some(0.002), cutOff: some(0.002), restore: 0, revoke: 0 };
  const time = { striding: 0.5, longPause: 0, stride: 1, maxAgeMs: 8000 };
  return { ...weather, ...restarts, ...time, sweep: 0.03, favourites: 2, maxTokens: 1000 };
}

/** More sessions than the set has places, and workers that sleep while their asks are answered. */
function crowded(weather: Weather): Weather {
  const calm = { envoyCrash: 0, planeCrash: 0, outage: 0, restore: 0 };
  return { ...weather, ...calm, passing: 0.07, stride: 1, longPause: 0, drowsy: 0.5, revoke: 0.005, sweep: 0 };
}
