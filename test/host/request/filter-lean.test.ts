// The lean build: it admits and denies as the full one does, with fewer callbacks.
import { describe, expect, it } from "vitest";
import {
  ACQUIRE_TIMEOUT_MS,
  REPORT_INTERVAL_MS,
  liveAnswer,
  plan,
  policy,
  settings,
  watchAnswer,
  type PolicyDocument,
} from "../harness/scenes/documents.js";
import { Edge, requestWith, type EdgeOptions } from "../harness/scenes/edge.js";
import { LOOKED_AT_MS, openStream } from "../harness/scenes/open-streams.js";
import { filterModule } from "../harness/builds/filter-modules.js";

const module = filterModule("lean");
const silent = (overrides: PolicyDocument = {}): PolicyDocument =>
  policy({ response: { headers: "none" }, ...overrides });
const lean = (options: EdgeOptions = {}): Edge => new Edge({ module, policy: silent(), ...options });
/** Longer than the policy of a gone root is kept: as long as a request can wait under it, for each slot of a root. */
const UNTIL_DROPPED_MS = (3 * ACQUIRE_TIMEOUT_MS + 1000) * 4 + 1000;
/** More than a worker may have calls out at a time. */
const CHANGES = 300;

describe("the lean build", () => {
  it("the lean build has a callback for requests, and none for responses or streams", () => {
    const callbacks = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(callbacks).toContain("proxy_on_request_headers");
    for (const name of ["context_create", "response_headers", "log", "done", "delete"]) {
      expect(callbacks).not.toContain(`proxy_on_${name}`);
    }
  });

  it("the lean build spends a bucket to the last token, and says so in a denial", () => {
    const edge = lean({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 5 });
    expect(edge.admitted(session, 3, 0)).toBe(3);
    expect(edge.admitted(session, 9, 1)).toBe(2);
    expect(edge.send(session).status).toBe(429);
  });

  it("the lean build logs which build adds the limit headers that a policy wants", () => {
    const edge = new Edge({ module, policy: policy() });
    const session = edge.sessionInTable();
    expect(edge.send(session).responseHeaders?.get("ratelimit")).toBeUndefined();
    expect(edge.host.messages("warn").join()).toMatch(/response\.headers: none are added.*sluice\.wasm/);
  });
});

describe("open streams in the lean build", () => {
  it("the lean build says and counts that open streams outlive their session", () => {
    const edge = lean();
    const session = edge.sessionInTable();
    const stream = openStream(session, edge.worker(0));
    edge.passMs(LOOKED_AT_MS);
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    edge.passMs(2000);
    expect(stream.state).toBe("streaming");
    expect(edge.host.messages("warn").join()).toMatch(/sessions\.openStreams: .*outlive.*sluice\.wasm/);
    expect(edge.host.metrics.sum("sluice_streams_untracked_total")).toBe(2);
  });

  it("the lean build has nothing to say of open streams under keep", () => {
    const edge = lean({ policy: silent({ sessions: { openStreams: "keep" } }) });
    edge.sessionInTable();
    edge.flush();
    expect(edge.host.messages("warn")).toEqual([]);
    expect(edge.host.metrics.sum("sluice_streams_untracked_total")).toBe(0);
  });
});

describe("a change of policy in the lean build", () => {
  const changed = settings(silent({ plans: [plan({ maxTokens: 4 })] }));

  it("a policy change in the lean build holds for the next request, and counts it once", () => {
    const edge = lean();
    const session = edge.sessionInTable({ tokens: 9 });
    expect(edge.worker(0).configure(changed)).toBe(true);
    expect(edge.admitted(session, 9)).toBe(4);
    edge.passMs(UNTIL_DROPPED_MS);
    expect(edge.host.metrics.sum('sluice_requests_total{outcome="allowed",plan="default"}')).toBe(5);
  });

  it("a policy change in the lean build lets a waiting request go on", () => {
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

  it("a policy change that is taken back in the lean build leaves the one before", () => {
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

  it("requests without an answer leave nothing behind in the lean build", () => {
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
