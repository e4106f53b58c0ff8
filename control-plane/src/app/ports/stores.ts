// All that a store engine gives to the use cases.
import type { AuditStore } from "./audit-ports.js";
import type { Claims } from "./claim-ports.js";
import type { EdgeStatusStore } from "./edge-status-ports.js";
import type { FleetTime } from "./fleet-time.js";
import type { InvalidationLog } from "./log-ports.js";
import type { OperatorStore } from "./operator-ports.js";
import type { PolicyStore, SessionStore } from "./ports.js";
import type { BulkRevocationStore } from "./revocation-ports.js";
import type { StoreHealth } from "./store-health.js";
import type { StoreTime } from "./store-time.js";
import type { UsageStore } from "./usage-ports.js";

export interface Stores extends SessionStore {
  /** What edges must hear of. */
  readonly invalidations: InvalidationLog;
  /** Of all sessions of a user or an organisation. */
  readonly revocations: BulkRevocationStore;
  /** For operators and login services. */
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly policies: PolicyStore;
  readonly edgeStatus: EdgeStatusStore;
  /** Who does what only one control plane does at a time. */
  readonly claims: Claims;
  /** What edges report. */
  readonly usage: UsageStore;
  readonly fleetTime: FleetTime;
  readonly health: StoreHealth;
  /** Where several control planes share the store, its clock, by which all of them decide; absent where none do. */
  readonly storeTime?: StoreTime;
}
