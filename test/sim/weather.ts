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
  readonly reload: number;
  readonly reconfigure: number;
  readonly restore: number;
  readonly revoke: number;
  readonly trim: number;
  readonly sweep: number;
  /** Of a step that lets time pass. */
  readonly longPause: number;
  /** How much more time passes than a busy edge would let pass. */
  readonly stride: number;
}

export function weatherOf(seed: number): Weather {
  const random = new Random(seed ^ 0x5eed);
  const some = (chance: number): number => (random.chance(0.5) ? chance : 0);
  return {
    onUnreachable: random.chance(0.4) ? "trust" : "deny",
    lost: some(0.15),
    doubled: some(0.15),
    envoyCrash: some(0.001),
    planeCrash: some(0.003),
    outage: some(0.001),
    reload: some(0.002),
    reconfigure: some(0.002),
    restore: some(0.0015),
    revoke: some(0.01),
    trim: some(0.004),
    sweep: some(0.004),
    longPause: some(0.01),
    stride: random.pick([1, 1, 1, 8]),
  };
}
