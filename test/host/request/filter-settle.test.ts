// What a request really cost, by where its response says it.
import { describe, expect, it } from "vitest";
import { usageResponses } from "../usage/usage-readers.js";
import {
  EVENT_HEADERS,
  JSON_HEADERS,
  METADATA,
  OK,
  chat,
  chatter,
  isLetThrough,
  llmLeft,
  pieces,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
  tokensCounted,
} from "../harness/scenes/settling.js";
import { headersOf, levelOf } from "../harness/scenes/routed-requests.js";

const JSON_USAGE = { json: "/usage/total_tokens" };

function usage(tokens: unknown): string {
  return JSON.stringify({ choices: [{ text: '{"usage":' }], usage: { total_tokens: tokens } });
}

describe("a response header that says the cost", () => {
  it("a response header gives back what was reserved too much, as the response begins", () => {
    const edge = settlingEdge(settling({ header: "X-Cost" }));
    const session = chatter(edge);
    const stream = chat(edge, session);
    expect(llmLeft(edge, session)).toBe(60);
    stream.beginResponse({ ...OK, "x-cost": "7" });
    expect(llmLeft(edge, session)).toBe(93);
    stream.abandon();
    expect(llmLeft(edge, session)).toBe(93);
    expect(settlements(edge)).toEqual({ settled: 1 });
    expect(tokensCounted(edge)).toEqual({ reserved: 40, settled: 7, refunded: 33, overdrawn: 0 });
  });

  it("a request that reserved too little is charged more, up to a debt of the whole bucket", () => {
    const edge = settlingEdge(settling({ header: "x-cost" }));
    const session = chatter(edge);
    chat(edge, session).respond({ ...OK, "x-cost": "130" });
    expect(llmLeft(edge, session)).toBe(-30);
    expect(isLetThrough(edge, session)).toBe(false);
    expect(isLetThrough(edge, session, "/")).toBe(true);
    const other = edge.newSession();
    const stream = edge.send(other);
    edge.answerLive({ tokens: 1000 });
    expect(stream.status).toBe(200);
    chat(edge, other).respond({ ...OK, "x-cost": "4294967295" });
    expect(llmLeft(edge, other)).toBe(-100);
    expect(tokensCounted(edge).overdrawn).toBe(90 + 4_294_967_295 - 40);
  });

  it("a denied session sees at once what another of its requests has overdrawn", () => {
    const edge = settlingEdge(settling({ header: "x-cost" }));
    const session = chatter(edge);
    const open = [chat(edge, session), chat(edge, session)];
    const denied = () =>
      edge
        .worker(0)
        .request(headersOf({ path: "/chat", session }))
        .responseHeaders?.get("ratelimit");
    expect(denied()).toBe('"llm";r=20');
    open[0]?.respond({ ...OK, "x-cost": "55" });
    expect(denied()).toBe('"llm";r=5');
  });

  it("a response header that is there twice counts with its first value", () => {
    const edge = settlingEdge(settling({ header: "x-cost" }));
    const session = chatter(edge);
    for (const [first, second, left] of [
      ["7", "9", 93],
      ["none", "9", 53],
    ] as const) {
      const status = [":status", "200"] as const;
      chat(edge, session).respond([status, ["x-cost", first], ["x-cost", second]]);
      expect(llmLeft(edge, session)).toBe(left);
    }
    expect(settlements(edge)).toEqual({ settled: 1, invalid: 1 });
  });

  it("what a response says is multiplied, and rounded up to whole tokens", () => {
    const edge = settlingEdge(settling({ header: "x-cost", times: 0.25 }));
    const session = chatter(edge);
    for (const [said, cost] of [
      ["0", 0],
      ["1", 1],
      ["4", 1],
      ["4.1", 2],
      ["1e2", 25],
    ] as const) {
      const before = llmLeft(edge, session);
      chat(edge, session).respond({ ...OK, "x-cost": said });
      expect(before - llmLeft(edge, session), said).toBe(cost);
    }
  });
});

describe("a response trailer that says the cost", () => {
  it("a response trailer that says the cost is read behind the body", () => {
    const edge = settlingEdge(settling({ trailer: "x-cost" }));
    const session = chatter(edge);
    chat(edge, session).respondWith(OK, pieces("served"), { "x-cost": "12.5" });
    expect(llmLeft(edge, session)).toBe(87);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a response without a body may say the cost of its trailers among its headers", () => {
    const edge = settlingEdge(settling({ trailer: "x-cost" }));
    const session = chatter(edge);
    chat(edge, session).respond({ ...OK, "x-cost": "3", "grpc-status": "0" });
    expect(llmLeft(edge, session)).toBe(97);
    // With a body behind it, a header is none.
    chat(edge, session).respondWith({ ...OK, "x-cost": "3" }, pieces("served"));
    expect(settlements(edge)).toEqual({ settled: 1, no_value: 1 });
  });
});

describe("metadata that says the cost", () => {
  it("metadata that says the cost is read when the stream ends, be it number or text", () => {
    const edge = settlingEdge(settling({ metadata: ["my.filter", "cost"] }));
    const session = chatter(edge);
    const text = chat(edge, session);
    text.beginResponse();
    text.attributes.set(METADATA, "5");
    text.abandon();
    expect(llmLeft(edge, session)).toBe(95);
    const number = chat(edge, session);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(6.5);
    number.attributes.set(METADATA, double);
    number.respondWith(OK, pieces("served"), {});
    expect(llmLeft(edge, session)).toBe(88);
    expect(settlements(edge)).toEqual({ settled: 2 });
  });
});

describe("a JSON response that says the cost", () => {
  it("a JSON response that says the cost is read as it passes, whatever its pieces", () => {
    const edge = settlingEdge(settling(JSON_USAGE));
    const session = chatter(edge);
    const body = usage(2);
    for (let bytes = 1; bytes <= 20; bytes++) {
      const before = llmLeft(edge, session);
      chat(edge, session).respondWith({ ...JSON_HEADERS, "content-type": "Application/JSON ; charset=utf-8" }, [
        new Uint8Array(),
        ...pieces(body, bytes),
        new Uint8Array(),
      ]);
      expect(before - llmLeft(edge, session), `${bytes}`).toBe(2);
    }
  });

  it("a language model is paid by what its response says it used, streamed or not", () => {
    for (const { name, contentType, pointer, units, body } of usageResponses()) {
      const edge = settlingEdge(settling({ json: pointer }));
      const session = chatter(edge);
      chat(edge, session).respondWith({ ...OK, "content-type": contentType }, pieces(body, 100));
      expect(llmLeft(edge, session), name).toBe(100 - (units ?? 40));
      expect(settlements(edge), name).toEqual(units === null ? { no_value: 1 } : { settled: 1 });
    }
  });

  it("an event stream settles by the last event that came, also where its client leaves", () => {
    const edge = settlingEdge(settling({ json: "/total" }));
    const session = chatter(edge);
    const stream = chat(edge, session);
    stream.beginResponse(EVENT_HEADERS);
    stream.sendPiece(Buffer.from('data: {"total":5}\n\ndata: {"tot'));
    stream.sendPiece(Buffer.from('al":9}\n\ndata: {"total":'));
    stream.abandon();
    expect(llmLeft(edge, session)).toBe(91);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a JSON response in large pieces is read up to its first MiB", () => {
    const edge = settlingEdge(settling({ json: "/total" }));
    const session = chatter(edge);
    const large = (bytes: number): Uint8Array => Buffer.from(`{"text":"${"x".repeat(bytes)}","total":5}`);
    chat(edge, session).respondWith(JSON_HEADERS, [large(200_000)]);
    expect(llmLeft(edge, session)).toBe(95);
    chat(edge, session).respondWith(JSON_HEADERS, [large(1_048_576), large(1000)]);
    expect(llmLeft(edge, session)).toBe(55);
    expect(settlements(edge)).toEqual({ settled: 1, too_long: 1 });
  });

  it("a response that cannot be read keeps what was reserved, also under onMissing: refund", () => {
    const edge = settlingEdge(settling({ json: "/total", onMissing: "refund" }));
    const session = chatter(edge);
    const large = Buffer.from(`{"text":"${"x".repeat(1_048_576)}","total":5}`);
    chat(edge, session).respondWith(JSON_HEADERS, [large]);
    expect(llmLeft(edge, session)).toBe(60);
    chat(edge, session).respondWith({ ...JSON_HEADERS, "content-encoding": "gzip" }, pieces('{"total":5}'));
    expect(llmLeft(edge, session)).toBe(20);
    expect(settlements(edge)).toEqual({ compressed: 1, too_long: 1 });
  });

  it("a request is sent on without accept-encoding where its JSON response is to be read", () => {
    const edge = settlingEdge(settling(JSON_USAGE));
    const session = chatter(edge);
    const stream = chat(edge, session, 0, { "accept-encoding": "gzip" });
    expect(stream.requestHeaders.get("accept-encoding")).toBeUndefined();
    const plain = edge.worker(0).open([
      [":path", "/"],
      ["x-session-id", session.token],
      ["accept-encoding", "gzip"],
    ]);
    expect(plain.requestHeaders.get("accept-encoding")).toBe("gzip");
    const byHeader = settlingEdge(settling({ header: "x-cost" }));
    const kept = chat(byHeader, chatter(byHeader), 0, { "accept-encoding": "gzip" });
    expect(kept.requestHeaders.get("accept-encoding")).toBe("gzip");
  });

  it("a compressed response costs what was reserved, and is counted", () => {
    const edge = settlingEdge(settling(JSON_USAGE));
    const session = chatter(edge);
    chat(edge, session).respondWith({ ...JSON_HEADERS, "content-encoding": "gzip" }, pieces(usage(2)));
    expect(llmLeft(edge, session)).toBe(60);
    expect(settlements(edge)).toEqual({ compressed: 1 });
    chat(edge, session).respondWith({ ...JSON_HEADERS, "content-encoding": "Identity" }, pieces(usage(2)));
    expect(llmLeft(edge, session)).toBe(58);
  });
});

describe("a response that says nothing of the cost", () => {
  const refunding = { ...JSON_USAGE, onMissing: "refund" };

  it("a response without a cost costs what was reserved, or nothing under onMissing: refund", () => {
    for (const [settle, left] of [
      [JSON_USAGE, 60],
      [refunding, 100],
    ] as const) {
      const ways: ((edge: ReturnType<typeof settlingEdge>) => void)[] = [
        (edge) => {
          chat(edge, chatter(edge)).respondWith(JSON_HEADERS, pieces('{"usage":null}'));
        },
        (edge) => {
          chat(edge, chatter(edge)).respondWith({ ...OK, "content-type": "text/plain" }, pieces(usage(2)));
        },
        (edge) => {
          chat(edge, chatter(edge)).respond({ ":status": "500" });
        },
        (edge) => {
          chat(edge, chatter(edge)).fail();
        },
        (edge) => {
          chat(edge, chatter(edge)).abandon();
        },
        (edge) => {
          const stream = chat(edge, chatter(edge));
          stream.beginResponse(JSON_HEADERS);
          stream.sendPiece(Buffer.from('{"usage":{"total_tokens":2'));
          stream.abandon();
        },
      ];
      for (const way of ways) {
        const edge = settlingEdge(settling(settle));
        way(edge);
        const [record] = edge.table.records();
        expect(record?.annex?.levelsTokens[0], way.toString()).toBe(left);
        expect(settlements(edge)).toEqual({ no_value: 1 });
        expect(tokensCounted(edge)).toEqual({
          reserved: 40,
          settled: 100 - left,
          refunded: 40 - (100 - left),
          overdrawn: 0,
        });
      }
    }
  });

  it("a response with an invalid cost costs what was reserved, whatever the policy", () => {
    const edge = settlingEdge(settling(refunding));
    const session = edge.sessionInTable({ tokens: 1000 });
    for (const said of [-1, "12", true, {}, 1e13]) {
      const before = llmLeft(edge, session);
      if (before < 40) break;
      chat(edge, session).respondWith(JSON_HEADERS, pieces(usage(said)));
      expect(before - llmLeft(edge, session), JSON.stringify(said)).toBe(40);
    }
    const times = settlingEdge(settling({ header: "x-cost", times: 1_000_000, onMissing: "refund" }));
    const one = chatter(times);
    chat(times, one).respond({ ...OK, "x-cost": "5000" });
    expect(llmLeft(times, one)).toBe(60);
    expect(settlements(times)).toEqual({ invalid: 1 });
  });

  it("an answer of Envoy's own settles nothing, whatever it says", () => {
    const edge = settlingEdge(settling({ header: "content-length" }));
    const session = chatter(edge);
    const stream = chat(edge, session);
    stream.attributes.set("response.code_details", "direct_response");
    stream.respond({ ...OK, "content-length": "3" });
    expect(llmLeft(edge, session)).toBe(60);
    expect(settlements(edge)).toEqual({ no_value: 1 });
  });
});

describe("a route that settles with the plan's own bucket", () => {
  it("a reservation of the plan's own bucket is consumed once its cost is known", () => {
    const edge = settlingEdge(settlingOwn({ header: "x-cost" }));
    const session = chatter(edge);
    const before = edge.table.record(session.id);
    const stream = chat(edge, session);
    const reserved = edge.table.record(session.id);
    expect(levelOf(edge, session)).toBe(59);
    expect(reserved?.consumed).toBe(before?.consumed);
    expect(reserved?.rev).toBeGreaterThan(before?.rev ?? 0);
    stream.respond({ ...OK, "x-cost": "7" });
    expect(levelOf(edge, session)).toBe(92);
    expect(edge.table.record(session.id)?.consumed).toBe((before?.consumed ?? 0) + 7);
    expect(edge.table.record(session.id)?.rev).toBeGreaterThan(reserved?.rev ?? 0);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_tokens_spent_total")).toBe((before?.consumed ?? 0) + 7);
  });

  it("a reservation that turns out to be the cost counts as consumed in the end", () => {
    const edge = settlingEdge(settlingOwn({ header: "x-cost" }));
    const session = chatter(edge);
    const before = edge.table.record(session.id)?.consumed ?? 0;
    chat(edge, session).abandon();
    expect(levelOf(edge, session)).toBe(59);
    expect(edge.table.record(session.id)?.consumed).toBe(before + 40);
  });

  it("a route that costs nothing at first reserves nothing, and charges afterwards", () => {
    const own = settlingOwn({ header: "x-cost" });
    const free = { ...own, routes: [{ match: { prefix: "/chat" }, cost: 0, settle: { header: "x-cost" } }] };
    const edge = settlingEdge(free);
    const session = chatter(edge);
    chat(edge, session).respond({ ...OK, "x-cost": "150" });
    expect(levelOf(edge, session)).toBe(-51);
    // What costs nothing is never limited.
    chat(edge, session).respond({ ...OK, "x-cost": "1" });
    expect(levelOf(edge, session)).toBe(-52);
  });
});
