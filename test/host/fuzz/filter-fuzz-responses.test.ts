// Nothing that a service answers makes the filter that settles trap, nor a bucket leave its bounds. Seeded: a failure names its seed.
import { expect, it } from "vitest";
import { MAX_SETTLE_NOTES } from "../../../assembly/contract.js";
import { plan, policy } from "../harness/scenes/documents.js";
import { limit } from "../harness/scenes/limits.js";
import { breakBytes } from "../harness/scenes/mutations.js";
import { headersOf } from "../harness/scenes/routed-requests.js";
import { chat, settlements, settling, settlingEdge, tokensCounted } from "../harness/scenes/settling.js";
import { Random } from "../harness/host/random.js";
import { usageResponses } from "../usage/usage-readers.js";

const PATHS = ["/json", "/own", "/header", "/trailer", "/metadata", "/"];
const LLM = 100_000;

function everySource(): ReturnType<typeof policy> {
  const llm = limit("llm", LLM, { applies: "routes", refill: "1000/7s" });
  const route = (prefix: string, settle: object): object => ({
    match: { prefix },
    limits: { llm: 40 },
    settle: { limit: "llm", ...settle },
  });
  return policy({
    plans: [plan({ maxTokens: LLM, tokenRefillRate: 1000, limits: [llm] })],
    routes: [
      route("/json", { json: "/usage/total_tokens", times: 2.5 }),
      { match: { prefix: "/own" }, cost: 7, settle: { json: "/choices/0/delta", onMissing: "refund" } },
      route("/header", { header: "x-cost", times: 1_000_000 }),
      route("/trailer", { trailer: "x-cost", onMissing: "refund" }),
      route("/metadata", { metadata: ["a", "b"] }),
    ],
  });
}

function anyValue(random: Random): string {
  const values = [
    "",
    "0",
    "5",
    "-1",
    "1e3",
    "99999999999999999999",
    "0.5",
    "x",
    "1".repeat(5000),
    "12345678",
    "\u0000",
  ];
  return random.chance(0.2) ? Buffer.from(random.bytes(8)).toString("latin1") : random.pick(values);
}

it("any response is read without a trap, whatever of it comes, and each settles once", () => {
  const edge = settlingEdge(everySource(), { workers: 2 });
  const random = new Random(31);
  const sessions = Array.from({ length: 8 }, () => edge.sessionInTable({ tokens: LLM }));
  const types = ["application/json", "text/event-stream", "text/plain", "application/json;x", "", "x".repeat(5000)];
  const bodies = usageResponses().map(({ body }) => Buffer.from(body));
  let reserved = 0;
  for (let i = 0; i < 4000; i++) {
    const path = random.pick(PATHS);
    const stream = edge.worker(i % 2).open(headersOf({ path, session: random.pick(sessions) }));
    if (stream.state !== "upstream") {
      edge.clock.advanceMs(1000);
      continue;
    }
    if (path !== "/") reserved++;
    const headers = {
      ":status": random.pick(["200", "500"]),
      "content-type": random.pick(types),
      ...(random.chance(0.1) ? { "content-encoding": random.pick(["gzip", "identity", ""]) } : {}),
      "x-cost": anyValue(random),
    };
    const body = random.chance(0.5) ? random.pick(bodies) : breakBytes(random.pick(bodies), random);
    const cut = random.below(body.length + 1);
    const pieces = [body.subarray(0, cut), body.subarray(cut)];
    stream.attributes.set("metadata.filter_metadata.a.b", Buffer.from(anyValue(random), "latin1"));
    if (random.chance(0.2)) {
      stream.beginResponse(headers);
      stream.sendPiece(pieces[0] ?? Buffer.alloc(0));
      stream.abandon();
    } else if (random.chance(0.2)) stream.abandon();
    else stream.respondWith(headers, pieces, random.chance(0.5) ? { "x-cost": anyValue(random) } : undefined);
    for (const worker of edge.workers) expect(worker.failure, `response ${i}`).toBeUndefined();
  }
  const counted = settlements(edge);
  expect(Object.values(counted).reduce((sum, one) => sum + one)).toBe(reserved);
  expect(Object.keys(counted)).toEqual(expect.arrayContaining(["settled", "no_value", "invalid", "compressed"]));
  const { reserved: tokens, settled, refunded, overdrawn } = tokensCounted(edge);
  expect(settled).toBe(tokens - refunded + overdrawn);
  for (const record of edge.table.records()) {
    for (const level of [record.levelTokens, record.annex?.levelsTokens[0] ?? NaN]) {
      expect(level).toBeLessThanOrEqual(LLM);
      expect(level).toBeGreaterThanOrEqual(-LLM);
    }
  }
});

it("no stream that has ended keeps a note, whatever became of it", () => {
  const llm = limit("llm", 100, { applies: "routes" });
  const plans = [plan({ maxTokens: 9_000_000, limits: [llm] })];
  const edge = settlingEdge(settling({ header: "x-cost", onMissing: "refund" }, { plans }));
  const session = edge.sessionInTable({ tokens: 9_000_000 });
  for (let i = 0; i < 2 * MAX_SETTLE_NOTES; i++) {
    const stream = chat(edge, session);
    if (i % 3 === 0) stream.abandon();
    else if (i % 3 === 1) stream.fail();
    else stream.respond({ ":status": "200", "x-cost": "0" });
  }
  expect(settlements(edge)["no_note"]).toBeUndefined();
  expect(tokensCounted(edge)).toMatchObject({ reserved: 2 * MAX_SETTLE_NOTES * 40, settled: 0 });
});
