// What the engine of the tests holds: plain maps, and how each thing in them is named that has a version.
import type { FleetBudget } from "../../domain/leases/fleet-budget.js";
import type { StoreLife } from "../../domain/leases/store-life.js";
import type { Session } from "../../domain/session.js";
import { byEdgeAndInstance } from "../../domain/stored.js";
import type {
  ConsumptionKey,
  CreationKey,
  HeldRow,
  InvalidationKind,
  LogPosition,
  SessionRecord,
  StoredRevocation,
} from "../../domain/stored.js";

/** The log that a commit appends to. */
export interface AppendableLog {
  now(): LogPosition;
  append(kind: InvalidationKind, sessionId: string, atMs: number): void;
}

/** A session with all that goes with it. */
export interface MemorySession {
  readonly session: Session;
  /** By `instanceKey`. */
  readonly rows: ReadonlyMap<string, HeldRow>;
  readonly consumptionKeys: ReadonlyMap<string, ConsumptionKey>;
  readonly budget?: FleetBudget;
}

/** Names of what has a version. The sessions that a user has in a plan, or a filter means, are a thing of their own. */
export const versionOf = {
  life: "life",
  session: (id: string): string => `session ${id}`,
  peers: (userId: string, planId: number): string => `peers ${planId} ${userId}`,
  user: (userId: string): string => `user ${userId}`,
  org: (orgId: string): string => `org ${orgId}`,
  creationKey: (key: string): string => `creation key ${key}`,
  revocation: (id: string): string => `revocation ${id}`,
};

/** What decisions are made on. */
export interface MemoryRecords {
  readonly sessions: ReadonlyMap<string, MemorySession>;
  readonly creationKeys: ReadonlyMap<string, CreationKey>;
  readonly revocations: ReadonlyMap<string, StoredRevocation>;
  readonly log: AppendableLog;
  life(): StoreLife;
}

/** Rows in the order of edge and instance. */
export function recordOf({ session, rows, budget }: MemorySession): SessionRecord {
  return { session, rows: [...rows.values()].sort(byEdgeAndInstance), ...(budget && { budget }) };
}

/** In the order of their creation. */
export const sorted = (sessions: Session[]): Session[] => sessions.sort((a, b) => (a.id < b.id ? -1 : 1));
