// Since when the store is in its present life (docs/decisions/0073-a-log-for-each-life.md), and how late it is in that by the fleet clock.

/** What the store has of the life that its log names, of one moment. */
export interface StoreLife {
  /** ms of the fleet clock at which it began, or later: what was granted in the life before was granted before that. */
  readonly beganMs: number;
  /** Of the sessions that there were then, the newest one's id; empty: there were none. */
  readonly newestId: string;
  /** ms of the fleet clock, as far as the store has been told. No control plane is ahead of it by more than CLOCKS_DIFFER_MS. */
  readonly fleetMs: number;
}

/** A moment by the fleet clock of one control plane. */
export interface FleetMoment {
  /** The store's log: each life has a count of its own. */
  readonly log: string;
  /** ms, a whole number. */
  readonly ms: number;
  /** Names the clock for as long as it counts by itself: it has another name once it was set, or stood. */
  readonly by: string;
  /** By how many ms it is ahead of other clocks at most, by their names. One of which nothing is known is left out. */
  readonly leads: ReadonlyMap<string, number>;
}

/** Nobody's clock: by how much it is behind the others is not known at any time. */
export const NOBODY = "";

/** Whose clock says when something is decided. */
export interface DecidingClock {
  readonly name: string;
  /** As FleetMoment has them. */
  readonly leads: ReadonlyMap<string, number>;
  readonly ms: number;
  /** ms of the fleet clock that the store had when it was read for the decision. */
  readonly heardMs: number;
}

/** A clock may be behind the store by so much: while the store is read, another one may tell it its time. */
const BEHIND_MS = 50;

/**
 * By when and by which clock something is decided. Where the store knows a much later time than the clock, as after a stall, or the
 * clock counts for another life, the store's counts. At the moment of the look no other clock was ahead of that by more than
 * CLOCKS_DIFFER_MS.
 */
export function momentOf(
  log: string,
  life: StoreLife,
  clock: FleetMoment | undefined,
): { readonly fleetMs: number; readonly by: DecidingClock } {
  const heardMs = life.fleetMs;
  if (clock?.log !== log || clock.ms < heardMs - BEHIND_MS) return { fleetMs: heardMs, by: nobodyAt(heardMs) };
  const { by: name, ms, leads } = clock;
  return { fleetMs: ms, by: { name, ms, leads, heardMs } };
}

/** By the store's time alone. */
export const nobodyAt = (heardMs: number): DecidingClock => ({
  ...{ name: NOBODY, leads: new Map(), ms: heardMs, heardMs },
});

/** Whether the session was there when the present life of the store began: ids sort by creation. */
export const isOlderThanLife = (sessionId: string, { newestId }: StoreLife): boolean => sessionId <= newestId;

/** What is known of the life where nobody has written down when it began: that it did by now. */
export const lifeOfDoubt = (fleetMs: number): StoreLife => ({ beganMs: fleetMs, newestId: AFTER_ALL_IDS, fleetMs });

/** After whatever a session's id is. */
const AFTER_ALL_IDS = "\u{10ffff}";

/** As a store may keep it, in one text, so that it is never of another log than it says. */
export const beginningText = (log: string, beganMs: number, newestId: string): string =>
  `${log} ${String(beganMs)} ${newestId}`;

/** @param text as above; undefined, or of another log: nobody has written it down */
export function lifeIn(text: string | undefined, log: string, fleetMs: number): StoreLife {
  const [of, beganMs, newestId] = text?.split(" ") ?? [];
  if (of !== log || beganMs === undefined || newestId === undefined) return lifeOfDoubt(fleetMs);
  return { beganMs: Number(beganMs), newestId, fleetMs };
}
