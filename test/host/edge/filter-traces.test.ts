// The trace that a request belongs to goes along with the call that it causes; nothing else of its headers does.
import { describe, expect, it } from "vitest";
import { LEASE_TTL_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import type { HeaderPairs } from "../harness/host/header-map.js";
import type { Stream } from "../harness/host/stream.js";
import { fillCalls } from "../harness/scenes/batches.js";
import { liveAnswer, REPORT_INTERVAL_MS } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { answerLeases, leased } from "../harness/scenes/leases.js";
import type { Session } from "../harness/scenes/tokens.js";

const traceOf = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";

function send(edge: Edge, session: Session, headers: HeaderPairs): Stream {
  return edge.worker(0).request([...requestWith(session), ...headers]);
}

const carried = (call: Callout | undefined): (string | undefined)[] => [
  call?.headers.get("traceparent"),
  call?.headers.get("tracestate"),
];

describe("the trace of a request", () => {
  it("an acquire carries traceparent and tracestate of the request that asked", () => {
    const edge = new Edge();
    send(edge, edge.newSession(), [
      ["traceparent", traceOf("a")],
      ["tracestate", STATE],
    ]);
    expect(carried(edge.callout)).toEqual([traceOf("a"), STATE]);
    send(edge, edge.newSession(), []);
    expect(carried(edge.acquires[1])).toEqual([undefined, undefined]);
  });

  it.each([
    ["in capitals", traceOf("A")],
    ["of zeros", traceOf("0")],
    ["with more behind it", `${traceOf("a")}-x`],
    ["longer than any header that is read", "a".repeat(5000)],
    ["with another header in it", `${traceOf("a").slice(0, 40)}\r\nx-b: 1`.padEnd(55, "1")],
  ])("a traceparent %s goes nowhere, nor does its tracestate", (_, traceparent) => {
    const edge = new Edge();
    send(edge, edge.newSession(), [
      ["traceparent", traceparent],
      ["tracestate", STATE],
    ]);
    expect(carried(edge.callout)).toEqual([undefined, undefined]);
    expect(edge.callout.headers.get("authorization")).toMatch(/^Bearer /);
  });

  it.each([
    ["longer than 512 characters", "a".repeat(513)],
    ["longer than any header that is read", "a".repeat(5000)],
    ["with control characters", "a=b\u0001"],
  ])("a tracestate %s is left out, and the traceparent goes", (_, tracestate) => {
    const edge = new Edge();
    send(edge, edge.newSession(), [
      ["traceparent", traceOf("a")],
      ["tracestate", tracestate],
    ]);
    expect(carried(edge.callout)).toEqual([traceOf("a"), undefined]);
  });

  it("a call for many sessions carries the first trace that one of its requests has, alone", () => {
    const edge = new Edge();
    fillCalls(edge);
    send(edge, edge.newSession(), []);
    for (const digit of ["b", "c"]) {
      send(edge, edge.newSession(), [
        ["traceparent", traceOf(digit)],
        ["tracestate", STATE],
      ]);
    }
    edge.pendingAcquires[0]?.answer(200, liveAnswer());
    expect(carried(edge.acquires.at(-1))).toEqual([traceOf("b"), undefined]);
  });

  it("requests that wait for one session have the first one's trace sent", () => {
    const edge = new Edge();
    fillCalls(edge);
    const session = edge.newSession();
    for (const digit of ["d", "e"]) send(edge, session, [["traceparent", traceOf(digit)]]);
    edge.pendingAcquires[0]?.answer(200, liveAnswer());
    expect(carried(edge.acquires.at(-1))).toEqual([traceOf("d"), undefined]);
  });

  it("a lease call carries the trace of the request that waits for it, and no former one's", () => {
    const { edge, session } = leased(1);
    send(edge, session, [["traceparent", traceOf("f")]]);
    expect(carried(edge.leases[0])).toEqual([traceOf("f"), undefined]);
    answerLeases(edge, { tokens: { "": 1 } });
    edge.passMs(2 * LEASE_TTL_MS);
    send(edge, session, []);
    expect(edge.leases.length).toBeGreaterThan(1);
    for (const call of edge.leases.slice(1)) expect(carried(call)).toEqual([undefined, undefined]);
  });

  it("a report carries no trace", () => {
    const edge = new Edge();
    const session = edge.newSession();
    send(edge, session, [["traceparent", traceOf("a")]]);
    edge.answerLive();
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.flush();
    expect(carried(edge.report)).toEqual([undefined, undefined]);
  });

  it("a request that is decided from the table is not asked for its trace", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const asked: string[] = [];
    edge.host.hooks.each(
      "before",
      () => true,
      ({ name }) => asked.push(name),
    );
    send(edge, session, [["traceparent", traceOf("a")]]);
    expect(asked.filter((name) => name === "proxy_get_header_map_value")).toHaveLength(1);
  });
});
