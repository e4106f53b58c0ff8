// The fleet clock as LMDB keeps it, and when the store's present life began by it.
import type { FleetReading, FleetTime } from "../../app/ports/fleet-time.js";
import { beginningText, lifeIn } from "../../domain/leases/store-life.js";
import type { StoreLife } from "../../domain/leases/store-life.js";
import { wholeMs } from "../whole-ms.js";
import type { LmdbLayout } from "./layout.js";

/** In `meta`. */
export const FLEET_TIME = "fleetTime";
export const BEGAN = "began";

export const fleetTimeIn = ({ meta }: Pick<LmdbLayout, "meta">): number =>
  (meta.get(FLEET_TIME) as number | undefined) ?? 0;

/** Names the log, for a life of the store that begins now. Inside `commits.run`. */
export function beginLife(db: Pick<LmdbLayout, "meta" | "sessions">, log: string): void {
  const [newestId = ""] = db.sessions.getKeys({ reverse: true, limit: 1 });
  void db.meta.put("log", log);
  void db.meta.put(BEGAN, beginningText(log, fleetTimeIn(db), newestId));
}

/** @param log as stored */
export const lifeOf = ({ meta }: Pick<LmdbLayout, "meta">, log: string): StoreLife =>
  lifeIn(meta.get(BEGAN) as string | undefined, log, fleetTimeIn({ meta }));

export class LmdbFleetTime implements FleetTime {
  /** @param log as stored: it is the same for as long as the store is open */
  constructor(
    private readonly db: Pick<LmdbLayout, "meta" | "commits">,
    private readonly log: string,
  ) {}

  read(): Promise<FleetReading> {
    return Promise.resolve({ log: this.log, ms: fleetTimeIn(this.db) });
  }

  async raise({ log, ms: toMs }: FleetReading): Promise<FleetReading> {
    const to = wholeMs(toMs);
    const ms = await this.db.commits.run(() => {
      const before = fleetTimeIn(this.db);
      if (log !== this.log || to <= before) return before;
      void this.db.meta.put(FLEET_TIME, to);
      return to;
    });
    return { log: this.log, ms };
  }
}
