// The audit log: who revoked sessions, changed plans and re-issued tokens, and which policies came, at GET /v1/audit and in the log.
import { describe, expect, it } from "vitest";

import { adminName } from "../../../src/app/access/admin.js";
import type { AuditEntry } from "../../../src/app/ports/audit-ports.js";
import { PolicyService } from "../../../src/app/policy/policy-service.js";
import { readPolicyDocument } from "../../../src/domain/policy/read-policy.js";
import { ADMIN_TOKEN, created, expectError, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { temporaryStore } from "../../support/temporary-store.js";

interface Page {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | null;
}

const OPERATOR = adminName({ kind: "operator", token: ADMIN_TOKEN });

async function audit(plane: TestControlPlane, query = ""): Promise<Page> {
  const answer = await plane.call("GET", `/v1/audit${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Page;
}

function auditLines(plane: TestControlPlane): unknown[] {
  const lines = plane.logged().split("\n");
  return lines.filter((line) => line.includes('"event":"audit"')).map((line) => JSON.parse(line) as unknown);
}

describe("the audit log", () => {
  it("the audit log names who did what to which session and when, the newest first", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const at = plane.clock.nowMs();
    await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "metered" });
    await plane.call("POST", `/v1/sessions/${session.id}/token`);
    plane.clock.advance(10);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const by = { actor: OPERATOR, sessionId: session.id };
    const { entries, cursor } = await audit(plane);
    expect(entries).toEqual([
      { number: 3, at: at + 10, action: "session-revoked", details: { issuer: OPERATOR }, ...by },
      { number: 2, at, action: "token-reissued", details: { plan: "metered", issuer: OPERATOR }, ...by },
      { number: 1, at, action: "plan-changed", details: { from: "starter", to: "metered", issuer: OPERATOR }, ...by },
    ]);
    expect(cursor).toBeNull();
    expect(auditLines(plane)).toMatchObject([...entries].reverse().map(({ number: _number, ...event }) => event));
  });

  it("the audit log has no entry for a call that failed or changed nothing", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "starter" });
    await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "gold" });
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    await plane.call("POST", `/v1/sessions/${session.id}/token`);
    expect((await audit(plane)).entries.map(({ action }) => action)).toEqual(["session-revoked"]);
    expect(auditLines(plane)).toHaveLength(1);
  });

  it("the audit log is read page by page, and new entries shift no page", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const reissue = () => plane.call("POST", `/v1/sessions/${session.id}/token`);
    for (let i = 0; i < 5; i++) await reissue();
    const first = await audit(plane, "?limit=2");
    await reissue();
    const second = await audit(plane, `?limit=2&cursor=${first.cursor ?? ""}`);
    const third = await audit(plane, `?limit=2&cursor=${second.cursor ?? ""}`);
    const numbers = [first, second, third].flatMap(({ entries }) => entries.map(({ number }) => number));
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
    expect(third.cursor).toBeNull();
  });

  it.each([
    ["limit=0", "limit"],
    ["cursor=abc", "cursor"],
    ["before=3", "before"],
  ])("GET /v1/audit?%s is 400 and names the field", async (query, field) => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", `/v1/audit?${query}`), "INVALID_REQUEST", field);
  });

  it("a wrong cursor of the audit log is 400 and says what was expected", async () => {
    const plane = await startTestControlPlane();
    const said = expectError(await plane.call("GET", "/v1/audit?cursor=zzz"), "INVALID_REQUEST", "cursor");
    expect(said).toBe("cursor is wrong: expected the cursor of the page before, as it was answered");
  });

  it("the audit log holds no secret", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    await plane.call("POST", `/v1/sessions/${session.id}/token`);
    const text = JSON.stringify(await audit(plane));
    for (const secret of [token, ADMIN_TOKEN]) expect(text).not.toContain(secret);
  });
});

describe("policies in the audit log", () => {
  const good = "version: 1\nplans:\n  - { id: 0, name: default, maxTokens: 100, tokenRefillRate: 10 }\n";

  /** What is audited of a policy file; `saved` answers once a new text is judged. */
  async function audited(first: string, name = "policy.yaml") {
    const store = await temporaryStore();
    let [text, changed] = [first, (): Promise<boolean> => Promise.resolve(true)];
    const clock = new FixedClock();
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    await PolicyService.start({
      source: {
        name,
        read: () => Promise.resolve(text),
        watch: (onChange) => {
          changed = onChange;
          return () => undefined;
        },
      },
      validate: { readPolicyDocument },
      store: store.policies,
      audit: store.audit,
      sessions: store,
      operator: store.operator,
      clock,
      logger,
    });
    const saved = async (next: string): Promise<void> => {
      text = next;
      await changed();
    };
    return { store, clock, saved };
  }

  it("a policy is in the audit log as accepted or rejected, with its first violation", async () => {
    const { store, clock, saved } = await audited(good);
    await saved(good.replace("100", "0"));
    const better = good.replace("100", "200");
    await saved(better);
    await saved(better);
    const entries = await store.audit.auditBefore(undefined, 10);
    const source = "policy.yaml";
    expect(entries.map(({ action, details }) => ({ action, ...details }))).toEqual([
      { action: "policy-accepted", source, generation: 2 },
      {
        action: "policy-rejected",
        source,
        generation: 1,
        violations: 1,
        firstViolation: expect.stringContaining("plans[0].maxTokens: expected an integer from 1") as string,
      },
      { action: "policy-accepted", source, generation: 1 },
    ]);
    const said = new Set(entries.map(({ actor, at, sessionId }) => JSON.stringify([actor, at, sessionId])));
    expect(said).toEqual(new Set([JSON.stringify(["file", clock.nowMs(), null])]));
  });

  it("a rejected policy's first violation is cut to 500 characters in the audit log", async () => {
    const { store, saved } = await audited(good, `${"folder/".repeat(80)}policy.yaml`);
    await saved(good.replace("100", "0"));
    const [entry] = await store.audit.auditBefore(undefined, 1);
    expect(entry?.action).toBe("policy-rejected");
    expect(entry?.details.firstViolation).toHaveLength(500);
  });
});
