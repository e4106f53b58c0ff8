// Every generation of the policy that is kept, by its number, in LMDB.
import type { AuditEvent } from "../../domain/stored.js";
import type { GenerationsKept, PolicyDecision, PolicyStore, StoredPolicy } from "../../app/ports/ports.js";
import { policyHash } from "../../domain/policy/policy-hash.js";
import { appendAudit } from "./audit.js";
import { positionOf } from "./invalidation-log.js";
import type { LmdbLayout } from "./layout.js";

export class LmdbPolicies implements PolicyStore {
  constructor(private readonly db: LmdbLayout) {}

  newestGeneration(): Promise<number> {
    return Promise.resolve(this.newest());
  }

  policy(generation: number): Promise<StoredPolicy | undefined> {
    return Promise.resolve(this.db.policies.get(generation));
  }

  savePolicy(decision: PolicyDecision, expectedGeneration: number, audited?: AuditEvent): Promise<boolean> {
    return this.db.commits.run(() => {
      if (this.newest() !== expectedGeneration) return false;
      void this.db.policies.put(decision.generation, { ...decision, position: positionOf(this.db) });
      if (audited !== undefined) appendAudit(this.db, audited);
      return true;
    });
  }

  forgetPolicies({ newest, also }: GenerationsKept): Promise<number> {
    return this.db.commits.run(() => {
      const older = [...this.db.policies.getKeys({ reverse: true, offset: newest })];
      const forgotten = older.filter((generation) => !also.has(generation));
      for (const generation of forgotten) void this.db.policies.remove(generation);
      return forgotten.length;
    });
  }

  private newest(): number {
    const [generation] = this.db.policies.getKeys({ reverse: true, limit: 1 });
    return generation ?? 0;
  }
}

/** Up to schema 3 only the newest policy was kept, as an entry of `meta`. It becomes the first generation that is. */
export function keepNewestPolicy({ meta, policies }: LmdbLayout): void {
  const newest = meta.get("policy") as Pick<StoredPolicy, "generation" | "policyJson"> | undefined;
  if (newest === undefined) return;
  const { generation, policyJson } = newest;
  const unknown = { atMs: null, source: null, position: null };
  void policies.put(generation, { generation, policyJson, hash: policyHash(policyJson), ...unknown });
  void meta.remove("policy");
}
