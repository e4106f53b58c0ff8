// The store's part for operators and login services: lists, and keys of creations that are forgotten.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { OperatorStore, SessionIndex } from "../../app/ports/operator-ports.js";
import type { Session } from "../../domain/session.js";
import { activeSession } from "../../domain/stored.js";
import { dropCreationKeys } from "./creation-keys.js";
import type { LmdbLayout } from "./layout.js";
import { AFTER_ALL_IDS } from "./session-index.js";
import { findRecord } from "./usage-rows.js";

/** Others get their turn after so many rows of listed sessions: about 2 ms. */
const ROWS_A_TURN = 500;

export class LmdbOperatorStore implements OperatorStore {
  constructor(private readonly db: LmdbLayout) {}

  hasIssued(issuer: string, sessionId: string): Promise<boolean> {
    return Promise.resolve(this.db.byIssuer.doesExist([issuer, sessionId]));
  }

  async sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Promise<Session[]> {
    await nextTurn();
    const sessions: Session[] = [];
    let rowsRead = 0;
    for (const id of [...this.idsBefore(index, before ?? AFTER_ALL_IDS, limit)]) {
      const found = findRecord(this.db, id);
      if (found === undefined) continue;
      sessions.push(activeSession(found));
      rowsRead += found.rows.length;
      if (rowsRead < ROWS_A_TURN) continue;
      rowsRead = 0;
      await nextTurn();
    }
    return sessions;
  }

  forgetCreationKeys(beforeMs: number, limit: number): Promise<number> {
    return this.db.commits.run(() => dropCreationKeys(this.db, beforeMs, limit));
  }

  private *idsBefore(index: SessionIndex, before: string, limit: number): Generator<string> {
    const down = { reverse: true, exclusiveStart: true, limit };
    const { sessions, byUser, byOrg, byPlan, byIssuer, byIssuerAndUser } = this.db;
    switch (index.by) {
      case "user":
        for (const [, id] of byUser.getKeys({ start: [index.userId, before], end: [index.userId, ""], ...down }))
          yield id;
        break;
      case "org":
        for (const [, id] of byOrg.getKeys({ start: [index.orgId, before], end: [index.orgId, ""], ...down })) yield id;
        break;
      case "issuer": {
        const { issuer, userId } = index;
        if (userId === undefined) {
          for (const [, id] of byIssuer.getKeys({ start: [issuer, before], end: [issuer, ""], ...down })) yield id;
        } else {
          const range = { start: [issuer, userId, before], end: [issuer, userId, ""], ...down };
          for (const [, , id] of byIssuerAndUser.getKeys(range)) yield id;
        }
        break;
      }
      case "plan":
        for (const [, id] of byPlan.getKeys({ start: [index.planId, before], end: [index.planId, ""], ...down }))
          yield id;
        break;
      case "creation":
        yield* sessions.getKeys({ start: before, end: "", ...down });
    }
  }
}
