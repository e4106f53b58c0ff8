// All stores with the same sessions in them, and control planes over each.
import { allStores } from "./stores.js";
import type { ComparedStore } from "./stores.js";
import type { Bench } from "./bench.js";
import { fill, newIds } from "./fill.js";
import type { Plane } from "./planes.js";

export interface FilledStore {
  readonly store: ComparedStore;
  readonly ids: readonly string[];
  readonly nowMs: number;
  /** The first has been there since the filling. */
  readonly planes: readonly Plane[];
  /** The newest that a report has named: it grows from part to part, or rows would change nothing. */
  readonly revs: { last: number };
  /** Another control plane over it; LMDB has one. */
  readonly more: () => Promise<void>;
}

/** As tables name it, with the control planes that there are over it. */
export const nameOf = ({ store, planes }: FilledStore): string =>
  `${store.name}, ${planes.length === 1 ? "one control plane" : `${planes.length} control planes`}`;

/** Sessions of which so many instances have reported; one control plane each. */
export async function filledStores(bench: Bench, sessions: number, rows = 1): Promise<FilledStore[]> {
  const nowMs = Date.now();
  const ids = newIds(sessions, nowMs);
  const filled: FilledStore[] = [];
  for (const store of await allStores(bench, `lmdb-${sessions}`)) {
    bench.say(`${sessions} sessions go into ${store.name}`);
    await fill(store, { ids, nowMs, rows });
    const planes = [await store.plane()];
    const more = async (): Promise<void> => {
      if (store.server !== undefined) planes.push(await store.plane());
    };
    filled.push({ store, ids, nowMs, planes, more, revs: { last: 1 } });
  }
  return filled;
}

/** The control planes, then the server, whose data goes. */
export async function emptied(filled: readonly FilledStore[]): Promise<void> {
  for (const { planes, store } of filled) {
    await Promise.all(planes.map((plane) => plane.stop()));
    await store.server?.remove();
  }
}
