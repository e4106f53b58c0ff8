// A store whose updates are spans of the requests that they are made for.
import type { Stores } from "../app/ports/stores.js";
import type { Requests, Span, Spans } from "../app/ports/tracing-ports.js";
import type { Updates } from "../app/ports/update-ports.js";

export interface TracedUpdatesParts {
  readonly requests: Pick<Requests, "current">;
  readonly spans: Pick<Spans, "under">;
  /** Such as `redis`. */
  readonly engine: string;
}

/** One span an update: load, decide and commit, with every try, and the wait for its turn. Without a request there is none. */
export function tracedUpdates(updates: Updates, { requests, spans, engine }: TracedUpdatesParts): Updates["update"] {
  return async (kind, wanted, decide) => {
    const [first, ...others] = requests.current().flatMap(({ span }) => (span?.isSampled === true ? [span] : []));
    if (first === undefined) return updates.update(kind, wanted, decide);
    const attributes = { "db.system.name": engine, "sluice.store.update": kind };
    const span: Span = spans.under({ name: `store ${kind}`, attributes }, [first, ...others]);
    try {
      const decision = await updates.update(kind, wanted, decide);
      span.end({});
      return decision;
    } catch (error) {
      span.end({}, error instanceof Error ? error.name : "Error");
      throw error;
    }
  };
}

/** The same store in all else. */
export function tracedStore(store: Stores, parts: TracedUpdatesParts): Stores {
  const { invalidations, revocations, operator, audit, policies, edgeStatus, claims, usage, fleetTime } = store;
  const { health, storeTime } = store;
  return {
    ...{ invalidations, revocations, operator, audit, policies, edgeStatus, claims, usage, fleetTime, health },
    ...(storeTime !== undefined && { storeTime }),
    find: (id) => store.find(id),
    position: () => store.position(),
    countLive: (planId, sinceMs) => store.countLive(planId, sinceMs),
    close: () => store.close(),
    update: tracedUpdates(store, parts),
  };
}
