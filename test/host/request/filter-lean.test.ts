// The lean build: it admits and refuses as the full one does, with fewer callbacks.
import { describe, expect, it } from "vitest";
import {
  ACQUIRE_TIMEOUT_MS,
  REPORT_INTERVAL_MS,
  liveAnswer,
  plan,
  policy,
  settings,
  type PolicyDocument,
} from "../harness/scenes/documents.js";
import { Edge, requestWith, type EdgeOptions } from "../harness/scenes/edge.js";
import { filterModule } from "../harness/builds/filter-modules.js";

const module = filterModule("lean");
const silent = (overrides: PolicyDocument = {}): PolicyDocument =>
  policy({ response: { headers: "none" }, ...overrides });
const lean = (options: EdgeOptions = {}): Edge => new Edge({ module, policy: silent(), ...options });
/** Longer than a policy is kept whose root has gone: what a request can wait under it, for each place for a root. */
const UNTIL_DROPPED_MS = (3 * ACQUIRE_TIMEOUT_MS + 1000) * 4 + 1000;
/** More than a worker may have calls out at a time. */
const CHANGES = 300;

describe("the lean build", () => {
  it("has a callback for requests, and none for responses or for a stream's beginning and end", () => {
    const callbacks = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(callbacks).toContain("proxy_on_request_headers");
    for (const name of ["context_create", "response_headers", "log", "done", "delete"]) {
      expect(callbacks).not.toContain(`proxy_on_${name}`);
    }
  });

  it("spends a session's bucket to the last token, and says so in a refusal", () => {
    const edge = lean({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 5 });
    expect(edge.admitted(session, 3, 0)).toBe(3);
    expect(edge.admitted(session, 9, 1)).toBe(2);
    expect(edge.send(session).status).toBe(429);
  });

  it("serves a policy that wants limit headers without them, and says which build adds them", () => {
    const edge = new Edge({ module, policy: policy() });
    const session = edge.sessionInTable();
    expect(edge.send(session).responseHeaders?.get("ratelimit")).toBeUndefined();
    expect(edge.host.messages("warn").join()).toMatch(/response\.headers: none are added.*sluice\.wasm/);
  });
});

describe("a change of policy in the lean build", () => {
  const changed = settings(silent({ plans: [plan({ maxTokens: 4 })] }));

  it("holds for the next request, and counts each of both policies once", () => {
    const edge = lean();
    const session = edge.sessionInTable({ tokens: 9 });
    expect(edge.worker(0).configure(changed)).toBe(true);
    expect(edge.admitted(session, 9)).toBe(4);
    edge.passMs(UNTIL_DROPPED_MS);
    expect(edge.host.metrics.sum("sluice_requests.outcome.allowed.plan.default")).toBe(5);
  });

  it("lets a request go on that waits for the control plane, for however long", () => {
    const edge = lean();
    const stream = edge.send(edge.newSession());
    edge.worker(0).configure(changed);
    edge.passMs(3 * UNTIL_DROPPED_MS);
    // Too late to count: it asks again.
    edge.answerLive();
    edge.answerLive();
    expect(stream.status).toBe(200);
    expect(edge.admitted(edge.sessionInTable(), 20)).toBe(3);
  });

  it("that is taken back leaves the one before in force, and reporting", () => {
    const edge = lean();
    const session = edge.sessionInTable({ tokens: 9 });
    const [before] = edge.worker(0).roots();
    const held = edge.worker(0).open(requestWith(edge.newSession()));
    edge.worker(0).configure(changed);
    if (before !== undefined) edge.worker(0).serveAgain(before);
    edge.passMs(UNTIL_DROPPED_MS + REPORT_INTERVAL_MS);
    expect(edge.pendingReports).toHaveLength(1);
    expect(edge.admitted(session, 20)).toBe(9);
    held.abandon();
  });

  it("frees what requests held that went without their answer, however often it happens", () => {
    const edge = lean();
    for (let change = 0; change < CHANGES; change++) {
      edge.send(edge.newSession()).abandon();
      edge.worker(0).configure(settings(silent({ plans: [plan({ maxTokens: 10 + (change % 2) })] })));
      edge.passMs(UNTIL_DROPPED_MS);
    }
    const stream = edge.send(edge.newSession());
    edge.acquires.at(-1)?.answer(200, liveAnswer());
    expect(stream.status).toBe(200);
  });
});
