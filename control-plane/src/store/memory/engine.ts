// Plain maps with a version of each thing in them: the engine of the tests, which commits without having locked.
import type { AuditEntry } from "../../app/ports/audit-ports.js";
import type { Loads } from "../../app/ports/update-ports.js";
import type { BudgetChange, Changes, SessionChange, StoredRow } from "../../domain/changes.js";
import { instanceKey } from "../../domain/stored.js";
import type { StoreLife } from "../../domain/leases/store-life.js";
import type { AuditEvent, CreationKey, Instance, StoredRevocation } from "../../domain/stored.js";
import type { Loaded, Versions } from "../optimistic-updates.js";
import { MemoryFleetTime } from "./fleet-time.js";
import { loadsOf } from "./loads.js";
import { versionOf } from "./records.js";
import type { AppendableLog, MemoryRecords, MemorySession } from "./records.js";

const EMPTY = new Map<string, never>();

export class MemoryEngine implements MemoryRecords {
  readonly sessions = new Map<string, MemorySession>();
  readonly creationKeys = new Map<string, CreationKey>();
  readonly revocations = new Map<string, StoredRevocation>();
  readonly audit: AuditEvent[] = [];
  /** Entries of the audit log before those. */
  auditDropped = 0;
  readonly fleetTime: MemoryFleetTime;
  private readonly versions = new Map<string, number>();
  private began: { readonly log: string; readonly beganMs: number; readonly newestId: string };

  constructor(readonly log: AppendableLog) {
    this.fleetTime = new MemoryFleetTime(() => this.log.now().log);
    this.began = { log: log.now().log, beganMs: 0, newestId: "" };
  }

  /** A test gives the log another name whenever it wants: that life has begun by the time somebody looks. */
  life(): StoreLife {
    const { log } = this.log.now();
    const { ms: fleetMs } = this.fleetTime;
    if (log !== this.began.log) this.beginLife();
    const { beganMs, newestId } = this.began;
    return { beganMs, newestId, fleetMs };
  }

  beginLife(): void {
    const newestId = [...this.sessions.keys()].reduce((newest, id) => (id > newest ? id : newest), "");
    this.began = { log: this.log.now().log, beganMs: this.fleetTime.ms, newestId };
    this.touch(versionOf.life);
  }

  load<Kind extends keyof Loads>(kind: Kind, wanted: Loads[Kind]["wanted"]): Loaded<Loads[Kind]["found"]> {
    const versions = new Map<string, number>();
    const loads = loadsOf(this, (name) => void versions.set(name, this.version(name)));
    return { found: loads[kind](wanted), versions };
  }

  /** False, and nothing is written, where one of the versions is another. */
  commit(changes: Changes, expected: Versions): boolean {
    this.life();
    for (const [name, version] of expected) if (this.version(name) !== version) return false;
    for (const change of changes.sessions ?? []) this.write(change);
    for (const row of changes.rows ?? []) this.writeRow(row);
    for (const row of changes.removedRows ?? []) this.removeRow(row);
    for (const one of changes.budgets ?? []) this.writeBudget(one);
    this.audit.push(...(changes.audit ?? []));
    this.writeKeys(changes);
    const { invalidations = [], revocation } = changes;
    if (revocation !== undefined) {
      const { log, cursor } = this.log.now();
      this.revocations.set(revocation.id, { ...revocation, log, cursor: cursor + invalidations.length });
      this.touch(versionOf.revocation(revocation.id));
    }
    // Last: whoever hears of an entry sees what it tells of.
    for (const { kind, sessionId, atMs } of invalidations) this.log.append(kind, sessionId, atMs);
    return true;
  }

  /** The oldest first. */
  auditEntries(): AuditEntry[] {
    return this.audit.map((event, i) => ({ number: this.auditDropped + i + 1, ...event }));
  }

  /** Has whoever decided on it decide again. */
  touch(name: string): void {
    this.versions.set(name, this.version(name) + 1);
  }

  private version(name: string): number {
    return this.versions.get(name) ?? 0;
  }

  private write({ before, after }: SessionChange): void {
    for (const session of [before, after]) {
      if (session === null) continue;
      this.touch(versionOf.session(session.id));
      this.touch(versionOf.peers(session.userId, session.plan.id));
      if (before !== null && after !== null) continue;
      this.touch(versionOf.user(session.userId));
      this.touch(versionOf.org(session.orgId));
    }
    if (after === null) this.sessions.delete(before?.id ?? "");
    else {
      const stored = this.sessions.get(after.id) ?? { rows: EMPTY, consumptionKeys: EMPTY };
      this.sessions.set(after.id, { ...stored, session: after });
    }
  }

  private writeRow({ sessionId, ...row }: StoredRow): void {
    const stored = this.sessions.get(sessionId);
    if (stored === undefined) return;
    this.touch(versionOf.session(sessionId));
    this.sessions.set(sessionId, { ...stored, rows: new Map(stored.rows).set(instanceKey(row), row) });
  }

  private removeRow({ sessionId, ...of }: Instance & { sessionId: string }): void {
    const stored = this.sessions.get(sessionId);
    if (stored === undefined) return;
    this.touch(versionOf.session(sessionId));
    const rows = new Map(stored.rows);
    rows.delete(instanceKey(of));
    this.sessions.set(sessionId, { ...stored, rows });
  }

  private writeBudget({ sessionId, budget }: BudgetChange): void {
    const stored = this.sessions.get(sessionId);
    if (stored === undefined) return;
    this.touch(versionOf.session(sessionId));
    const { session, rows, consumptionKeys } = stored;
    this.sessions.set(sessionId, { session, rows, consumptionKeys, ...(budget && { budget }) });
  }

  private writeKeys({ creationKey, consumptionKey }: Changes): void {
    if (creationKey !== undefined) {
      const { key, requestHash, sessionId, planId, atMs } = creationKey;
      this.creationKeys.set(key, { requestHash, sessionId, planId, atMs });
      this.touch(versionOf.creationKey(key));
    }
    const stored = consumptionKey && this.sessions.get(consumptionKey.sessionId);
    if (consumptionKey === undefined || stored === undefined) return;
    const { key, sessionId, ...consumed } = consumptionKey;
    const consumptionKeys = new Map(stored.consumptionKeys).set(key, consumed);
    this.sessions.set(sessionId, { ...stored, consumptionKeys });
    this.touch(versionOf.session(sessionId));
  }
}
