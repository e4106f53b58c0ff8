// Every call to the control plane is counted by its outcome, and names its edge in a header.
import { describe, expect, it } from "vitest";
import { HEADER_EDGE, MAX_EDGE_ANSWER_BYTES } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { callingEdge } from "../harness/scenes/calling-edge.js";
import { LOG, REPORT_INTERVAL_MS, liveAnswer, policy, reportAnswer, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";

type Call = "acquire" | "report" | "watch";

function callOf(edge: Edge, call: Call): Callout {
  if (call === "acquire") return edge.callout;
  return call === "report" ? edge.report : edge.watch;
}

function counted(edge: Edge, call: string): Record<string, number> {
  edge.flush();
  const prefix = `sluice_calls_total{call="${call}",outcome="`;
  const names = edge.host.metrics.names().filter((name) => name.startsWith(prefix));
  const all = names.map((name) => [name.slice(prefix.length, -'"}'.length), edge.host.metrics.sum(name)] as const);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

const goodAnswers: Record<Call, string> = { acquire: liveAnswer(), report: reportAnswer(), watch: watchAnswer({}) };
const KINDS: readonly Call[] = ["acquire", "report", "watch"];
const json = { "content-type": "application/json" };
const problem = { "content-type": "application/json; charset=utf-8" };

describe.each(KINDS)("the outcome of an %s", (call) => {
  const outcomes: [string, string, (out: Callout) => void][] = [
    [
      "an answer",
      "ok",
      (out) => {
        out.answer(200, goodAnswers[call], json);
      },
    ],
    [
      "a 503 as text, which is Envoy's own",
      "no_host",
      (out) => {
        out.refuse();
      },
    ],
    [
      "a 503 as JSON, which is the control plane's",
      "overloaded",
      (out) => {
        out.answer(503, '{"code":"X"}', problem);
      },
    ],
    [
      "a 504",
      "timeout",
      (out) => {
        out.timeOut();
      },
    ],
    [
      "a 401",
      "unauthorized",
      (out) => {
        out.answer(401, "{}", json);
      },
    ],
    [
      "a 403",
      "unauthorized",
      (out) => {
        out.answer(403, "{}", json);
      },
    ],
    [
      "a 429",
      "overloaded",
      (out) => {
        out.answer(429, "{}", json);
      },
    ],
    [
      "a 500",
      "error",
      (out) => {
        out.answer(500, "", json);
      },
    ],
    [
      "a 404",
      "rejected",
      (out) => {
        out.answer(404, "", json);
      },
    ],
    [
      "a 204",
      "error",
      (out) => {
        out.answer(204);
      },
    ],
    [
      "a connection that broke",
      "error",
      (out) => {
        out.reset();
      },
    ],
    [
      "a 200 that is no JSON",
      "malformed",
      (out) => {
        out.answer(200, "<html>", json);
      },
    ],
    [
      "a 200 without a body",
      "malformed",
      (out) => {
        out.answer(200, "", json);
      },
    ],
    [
      "a 200 of another kind",
      "malformed",
      (out) => {
        out.answer(200, '{"status":"ok"}', json);
      },
    ],
    [
      "a 200 of more than 1 MiB",
      "malformed",
      (out) => {
        out.answer(200, padded(goodAnswers[call]), json);
      },
    ],
  ];

  it.each(outcomes)("%s is counted as %s, and as nothing else", (_what, outcome, answer) => {
    const edge = callingEdge();
    answer(callOf(edge, call));
    expect(counted(edge, call)).toEqual({ [outcome]: 1 });
    expect(edge.worker(0).failure).toBeUndefined();
  });

  it.each([
    ["no cluster of its name", 2, "no_cluster"],
    ["no healthy host in it", 10, "no_host"],
    ["some other failure", 6, "error"],
  ])("a call for which Envoy has %s is counted, though no answer will come", (_what, status, outcome) => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    edge.host.dispatchResult = status;
    edge.send(edge.newSession());
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.worker(0).tick();
    expect(counted(edge, call)).toMatchObject({ [outcome]: 1 });
  });
});

function padded(answer: string): string {
  return answer + " ".repeat(MAX_EDGE_ANSWER_BYTES);
}

describe("all outcomes of all calls", () => {
  it("each outcome stands at 0 from the start, so that alerts can be written early", () => {
    const edge = new Edge();
    const names = edge.host.metrics.names().filter((name) => name.startsWith("sluice_calls_total"));
    expect(names).toHaveLength(36);
    expect(edge.host.metrics.sum("sluice_calls_total")).toBe(0);
  });
});

describe("an answer of more than 1 MiB", () => {
  it("an answer of more than 1 MiB is not read, of whatever call", () => {
    const edge = callingEdge();
    let read = 0;
    edge.host.hooks.each(
      "before",
      (call) => call.name === "proxy_get_buffer_bytes",
      () => read++,
    );
    for (const call of KINDS) callOf(edge, call).answer(200, padded(goodAnswers[call]), json);
    expect(read).toBe(0);
  });
});

describe("the header that names the edge on each call", () => {
  it.each([
    ["gw-1", "gw-1"],
    ["Zürich gateway", "Z??rich?gateway"],
    ["限", "???"],
    ['a"b\\c', 'a"b\\c'],
    ["n".repeat(256), "n".repeat(256)],
    ["~!", "~!"],
  ])("the node id %j gives the header %j", (nodeId, header) => {
    const edge = callingEdge({ nodeId });
    for (const call of KINDS) {
      expect(callOf(edge, call).headers.get(HEADER_EDGE)).toBe(header);
      expect(callOf(edge, call).json).toMatchObject({ edge: nodeId });
    }
  });
});

describe("an edge whose calls fail", () => {
  it("an edge whose calls fail serves its sessions, and counts on where it stopped", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    edge.host.dispatchResult = 10;
    edge.passMs(10_000);
    expect(edge.admitted(session, 9)).toBe(5);
    edge.host.dispatchResult = 0;
    edge.passMs(REPORT_INTERVAL_MS + 1000);
    expect((edge.report.json as { usage: unknown[][] }).usage[0]?.slice(0, 3)).toEqual([session.id, 6, 6]);
    edge.report.answer(200, reportAnswer([], LOG));
    expect(counted(edge, "report")["ok"]).toBe(1);
  });
});
