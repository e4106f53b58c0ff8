// A session's token, given out once more: POST /v1/sessions/:id/token.
import { describe, expect, it } from "vitest";

import { verifyToken } from "../../support/verify-token.js";
import { created, expectError, KEYS, startTestControlPlane } from "../../support/control-plane.js";
import { METERED, sessionAt } from "../../support/sessions.js";

describe("a token that is given out once more", () => {
  it("a re-issued token names the session with its present plan, and both tokens are valid", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "metered" });
    const answer = await plane.call("POST", `/v1/sessions/${session.id}/token`);
    expect(answer.status).toBe(200);
    const again = (answer.body as { token: string }).token;
    expect(again).not.toBe(token);
    expect(verifyToken(again, [KEYS])).toEqual({ sessionId: session.id, planId: METERED.id });
    expect(verifyToken(token, [KEYS])?.sessionId).toBe(session.id);
    expect(plane.logged()).not.toContain(again);
  });

  it("a re-issued token is the same where neither plan nor secret has changed", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    const answer = await plane.call("POST", `/v1/sessions/${session.id}/token`);
    expect(answer.body).toEqual({ session, token });
  });

  it("a session that has ended, or never was, gets no token", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    expectError(await plane.call("POST", `/v1/sessions/${session.id}/token`), "SESSION_ENDED");
    const { id } = sessionAt(plane.clock.nowMs());
    expectError(await plane.call("POST", `/v1/sessions/${id}/token`), "SESSION_NOT_FOUND");
  });
});
