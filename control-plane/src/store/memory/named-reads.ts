// Reads of plain maps that name all they look at: what a decision is given has to stand still until it is committed.
import { limitGroup } from "../../domain/issued-by.js";
import type { Peers } from "../../domain/issued-by.js";
import type { StoreLife } from "../../domain/leases/store-life.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import type { CreationKey, SessionRecord, StoredRevocation } from "../../domain/stored.js";
import { recordOf, sorted, versionOf } from "./records.js";
import type { MemoryRecords, MemorySession } from "./records.js";

export class NamedReads {
  constructor(
    readonly records: MemoryRecords,
    /** Called with the name of each thing that is looked at, also of one that is not there. */
    readonly look: (name: string) => void,
  ) {}

  /** A decision on the life counts in that one alone. */
  life(): StoreLife {
    this.look(versionOf.life);
    return this.records.life();
  }

  find(id: string): MemorySession | undefined {
    this.look(versionOf.session(id));
    return this.records.sessions.get(id);
  }

  record(id: string): SessionRecord | undefined {
    const stored = this.find(id);
    return stored && recordOf(stored);
  }

  creationKey(key: string): CreationKey | undefined {
    this.look(versionOf.creationKey(key));
    return this.records.creationKeys.get(key);
  }

  revocation(id: string): StoredRevocation | undefined {
    this.look(versionOf.revocation(id));
    return this.records.revocations.get(id);
  }

  /** A user's sessions in a plan, of one issuer, that have not ended for good. */
  peers({ userId, planId, group }: Peers): readonly Session[] {
    this.look(versionOf.peers(userId, planId));
    const isPeer = (one: Session): boolean =>
      one.userId === userId && one.plan.id === planId && limitGroup(one) === group && !hasEndedForGood(one);
    return this.named(this.those(isPeer));
  }

  /** In the order of their creation. Not named yet: a page is cut off them. */
  those(which: (session: Session) => boolean): Session[] {
    return sorted([...this.records.sessions.values()].map(({ session }) => session).filter(which));
  }

  named(sessions: readonly Session[]): readonly Session[] {
    for (const { id } of sessions) this.look(versionOf.session(id));
    return sessions;
  }
}
