// What the operator's and the login service's use cases read of the store beyond sessions one by one.
import type { Session } from "../../domain/session.js";

/** Where a list of sessions is read from. `plan` holds those that were not revoked only. */
export type SessionIndex =
  | { readonly by: "user"; readonly userId: string }
  | { readonly by: "org"; readonly orgId: string }
  /** With a user: of these that user's. */
  | { readonly by: "issuer"; readonly issuer: string; readonly userId: string | undefined }
  | { readonly by: "plan"; readonly planId: number }
  | { readonly by: "creation" };

export interface OperatorStore {
  /** The same look, and as long, for a session of another issuer and for one that there is not. */
  hasIssued(issuer: string, sessionId: string): Promise<boolean>;
  /** At most `limit` sessions, the newest first; with `before`, only those whose ids are lower. Gives others a turn. */
  sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Promise<Session[]>;
  /** Drops at most `limit` keys of creations that are older. Answers how many. */
  forgetCreationKeys(beforeMs: number, limit: number): Promise<number>;
}
