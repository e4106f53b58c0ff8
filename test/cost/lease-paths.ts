// The ways a request can take under a plan of scope fleet.
import { plan, type PolicyDocument } from "../host/harness/scenes/documents.js";
import type { Edge } from "../host/harness/scenes/edge.js";
import { answerLeases, leaseOf } from "../host/harness/scenes/leases.js";
import type { Session } from "../host/harness/scenes/tokens.js";
import type { RequestPath } from "./paths.js";

const FLEET: PolicyDocument = { plans: [plan({ tokenRefillRate: 1, scope: "fleet" })] };

export const LEASE_PATHS: readonly RequestPath[] = [
  // From a lease.
  {
    name: "fleet, allowed",
    status: 200,
    policy: FLEET,
    prepared(edge) {
      const session = leased(edge, 5);
      edge.send(session);
      return () => edge.send(session);
    },
  },
  // The control plane has refused it a moment before.
  {
    name: "fleet, refused",
    status: 429,
    policy: FLEET,
    prepared(edge) {
      const session = leased(edge, 1);
      edge.clock.advanceMs(60);
      edge.send(session);
      answerLeases(edge, { refused: { limit: "", retryAfter: 5000 } });
      edge.send(session);
      return () => edge.send(session);
    },
  },
  // Nothing is left: the ask is marked and sent, its answer taken, the request released.
  {
    name: "fleet, leased",
    status: 200,
    policy: FLEET,
    prepared(edge) {
      const session = leased(edge, 1);
      const asked = () => {
        edge.clock.advanceMs(60);
        const stream = edge.send(session);
        answerLeases(edge, { tokens: { "": 1 } });
        return stream;
      };
      asked();
      return asked;
    },
  },
];

/** One whose request has taken a token of its first lease. */
function leased(edge: Edge, tokens: number): Session {
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": tokens } }) });
  return session;
}
