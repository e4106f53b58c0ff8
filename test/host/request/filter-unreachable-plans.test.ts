// onUnreachable by plan: while the control plane cannot be asked, each plan's sessions are decided on as their plan says.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_FLAGS_AT } from "../../../assembly/contract.js";
import { plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";

const TRUSTING = 1;
const DENYING = 2;
const SILENT = 3;
const UNKNOWN = 9;

function edgeOf(ofDocument: "trust" | "deny"): Edge {
  const plans = [
    plan({ id: TRUSTING, name: "trusting", onUnreachable: "trust" }),
    plan({ id: DENYING, name: "denying", onUnreachable: "deny" }),
    plan({ id: SILENT, name: "silent" }),
  ];
  return new Edge({ policy: policy({ plans, onUnreachable: ofDocument }) });
}

/** The status of a new session whose token has that plan, when the call times out. */
function statusOfNew(edge: Edge, planId: number): number | undefined {
  const waiting = edge.send(edge.newSession(planId));
  edge.callout.timeOut();
  edge.clock.advanceMs(60_000);
  return waiting.status;
}

describe("onUnreachable of a plan", () => {
  it.each(["trust", "deny"] as const)(
    "a plan's onUnreachable counts before the document's, which is %s",
    (ofDocument) => {
      const edge = edgeOf(ofDocument);
      expect(statusOfNew(edge, TRUSTING)).toBe(200);
      expect(statusOfNew(edge, DENYING)).toBe(503);
      expect(statusOfNew(edge, SILENT)).toBe(ofDocument === "trust" ? 200 : 503);
    },
  );

  it("a plan that is null has the document's onUnreachable", () => {
    const plans = [plan({ onUnreachable: null })];
    expect(statusOfNew(new Edge({ policy: policy({ plans, onUnreachable: "trust" }) }), 0)).toBe(200);
    expect(statusOfNew(new Edge({ policy: policy({ plans, onUnreachable: "deny" }) }), 0)).toBe(503);
  });

  it("a session in doubt is decided on by its record's plan, whatever its token says", () => {
    for (const [ofToken, ofRecord, status] of [
      [TRUSTING, DENYING, 503],
      [DENYING, TRUSTING, 200],
    ] as const) {
      const edge = edgeOf("deny");
      const session = edge.newSession(ofToken);
      edge.send(session);
      edge.answerLive({ plan: ofRecord });
      edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH | FLAG_UNCONFIRMED, RECORD_FLAGS_AT));
      const waiting = edge.send(session);
      edge.callout.timeOut();
      expect(waiting.status).toBe(status);
      // During the backoff nobody is asked.
      expect(edge.send(session).status).toBe(status);
    }
  });

  it("a session that stands in the table goes on under a plan that denies", () => {
    const edge = edgeOf("deny");
    const session = edge.newSession(DENYING);
    edge.send(session);
    edge.answerLive({ plan: DENYING });
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(200);
  });

  it("a token of a plan that the policy lacks has the document's onUnreachable", () => {
    const denying = edgeOf("deny");
    expect(statusOfNew(denying, UNKNOWN)).toBe(503);
  });
});
