// A revocation against an acquire that comes late: who leads, who waits, and what is under way.
import type { Callout } from "../host/callouts.js";
import { policy, watchAnswer } from "./documents.js";
import { Edge } from "./edge.js";
import { sessionsOfOneSet } from "./same-set-sessions.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "./tokens.js";

/** Worker 0 leads and watches; a request of a session that the table lacks waits on worker 1. */
export interface Scene {
  readonly edge: Edge;
  readonly session: Session;
  readonly waiting: Stream;
  readonly acquire: Callout;
  readonly revoke: () => void;
}

export function scene(onUnreachable = "deny"): Scene {
  const edge = new Edge({ workers: 2, policy: policy({ onUnreachable }) });
  // Another session of the same set, so that the set is there.
  const [other, session] = sessionsOfOneSet(edge, 2);
  if (other === undefined || session === undefined) throw new Error("two sessions are needed");
  edge.send(other);
  edge.answerLive();
  edge.flush();
  const waiting = edge.send(session, 1);
  const revoke = (): void => {
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
  };
  return { edge, session, waiting, acquire: edge.callout, revoke };
}
