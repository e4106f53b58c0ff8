// A policy in the answer to a watch: what is taken, what is not, and that nothing of the latter stays behind.
import { describe, expect, it } from "vitest";
import { HEADER_GENERATION, MAX_EDGE_ANSWER_BYTES, TICK_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { bellOf, logCursorOf, policyBytesOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, LOG, plan, policy, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  countPolicyReads,
  edgeFollowing,
  edgeWithoutPolicy,
  generations,
  headersOf,
  policyInWatch,
  newestWatch,
  offer,
  policyHash,
} from "../harness/scenes/policy-offer.js";

/** After a watch of which nothing came, at the longest. */
const BACKOFF_MS = 500;
const five = policy({ plans: [plan({ maxTokens: 5 })] });
const six = policy({ plans: [plan({ maxTokens: 6 })] });
const text = JSON.stringify(five);

function watching(workers = 1): Edge {
  const edge = edgeWithoutPolicy({ workers });
  edge.flush();
  return edge;
}

const following = (generation: number, document = five, workers = 1): Edge =>
  edgeFollowing(document, generation, { workers });

describe("a policy that comes on the watch", () => {
  it("a policy is kept byte for byte under its log, generation and hash", () => {
    const edge = watching();
    const spaced = JSON.stringify({ ...five, header: "x-sitzung" }, undefined, 3);
    offer(edge.watch, spaced, { generation: 7 });
    const name = { log: LOG, generation: 7, hash: policyHash(spaced) };
    expect(policyBytesOf(edge.host.sharedData)).toEqual({ ...name, text: spaced });
    expect(bellOf(edge.host.sharedData)).toMatchObject(name);
  });

  it("a policy leaves the edge's cursor where it was", () => {
    const edge = new Edge({ policy: null });
    edge.flush();
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR }));
    const logCursor = logCursorOf(edge.host.sharedData);
    offer(edge.watch, five);
    expect(logCursorOf(edge.host.sharedData)).toEqual(logCursor);
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
  });

  it("a policy counts as an answered call", () => {
    const edge = following(1);
    expect(edge.host.metrics.sum('sluice_calls_total{call="watch",outcome="ok"}')).toBe(1);
    expect(edge.host.metrics.sum('sluice_calls_total{call="watch",outcome="malformed"}')).toBe(0);
  });
});

describe("an answer that is no policy, or not the one that it says", () => {
  const megabytes10 = JSON.stringify({ ...five, header: "x".repeat(10 * 1_048_576) });
  const broken: [string, (watch: Callout) => void][] = [
    [
      "of another hash than its bytes have",
      (watch) => {
        offer(watch, five, { hash: "0123456789abcdef" });
      },
    ],
    [
      "whose hash is no hash",
      (watch) => {
        offer(watch, five, { hash: "x" });
      },
    ],
    [
      "of which half arrived",
      (watch) => {
        watch.answer(200, text.slice(0, 60), headersOf(text));
      },
    ],
    [
      "with one byte more",
      (watch) => {
        watch.answer(200, `${text} `, headersOf(text));
      },
    ],
    [
      "of 10 MB",
      (watch) => {
        offer(watch, megabytes10);
      },
    ],
    [
      "with one byte above 1 MiB",
      (watch) => {
        offer(watch, " ".repeat(MAX_EDGE_ANSWER_BYTES + 1));
      },
    ],
    [
      "without a body",
      (watch) => {
        offer(watch, "");
      },
    ],
    [
      "without the headers that name it",
      (watch) => {
        watch.answer(200, text);
      },
    ],
    [
      "with nothing but its generation",
      (watch) => {
        watch.answer(200, text, { [HEADER_GENERATION]: "1" });
      },
    ],
    [
      "of generation 0",
      (watch) => {
        offer(watch, five, { generation: 0 });
      },
    ],
    [
      "of a generation that is no number",
      (watch) => {
        offer(watch, five, { generation: Number.NaN });
      },
    ],
    [
      "of a log that is none",
      (watch) => {
        offer(watch, five, { log: "0".repeat(16) });
      },
    ],
    [
      "of which only a status came",
      (watch) => {
        watch.answer(503, "", headersOf(text));
      },
    ],
  ];

  it.each(broken)("an answer %s leaves nothing behind, and is asked for after the hold-back", (_what, answer) => {
    const edge = watching();
    answer(edge.watch);
    expect(bellOf(edge.host.sharedData)).toBeUndefined();
    expect(policyBytesOf(edge.host.sharedData)).toBeUndefined();
    edge.passMs(TICK_MS);
    expect(edge.watches).toHaveLength(1);
    edge.passMs(BACKOFF_MS);
    expect(edge.watches).toHaveLength(2);
    expect(policyInWatch(edge.watch)).toBeUndefined();
    offer(edge.watch, five);
    edge.passMs(TICK_MS);
    expect(edge.send("invented").status).toBe(401);
    expect(edge.worker(0).failure).toBeUndefined();
  });

  it.each(broken)("an answer %s leaves the policy that is in force as it is", (_what, answer) => {
    const edge = following(1);
    const kept = policyBytesOf(edge.host.sharedData);
    answer(edge.watch);
    edge.passMs(TICK_MS);
    expect(policyBytesOf(edge.host.sharedData)).toEqual(kept);
    expect(edge.send("invented").status).toBe(401);
  });

  it("garbage under its right hash is rejected once, and never parsed again", () => {
    const edge = watching(2);
    const reads = countPolicyReads(edge);
    offer(edge.watch, "\u0000\u00ff{{{", { generation: 3 });
    edge.passMs(3000);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({
      generation: 3,
      state: "rejected",
      violations: [{ path: "", message: expect.stringContaining("not JSON") as string }],
    });
    // The leader: for the cas of its write, and to try it.
    expect([...reads.values()]).toEqual([2]);
  });
});

describe("a policy that is no newer than the one that the edge knows", () => {
  it("an older generation changes nothing, and is asked for after the hold-back", () => {
    const edge = following(8);
    const bell = bellOf(edge.host.sharedData);
    const sent = edge.watches.length;
    offer(edge.watch, six, { generation: 7 });
    edge.passMs(TICK_MS);
    expect(edge.watches).toHaveLength(sent);
    expect(bellOf(edge.host.sharedData)).toEqual(bell);
    expect(policyBytesOf(edge.host.sharedData)).toMatchObject({ generation: 8, text });
    edge.passMs(BACKOFF_MS);
    expect(policyInWatch(edge.watch)).toMatchObject({ generation: 8, state: "ok" });
  });

  it("the same generation with other bytes changes nothing, not even for a new VM", () => {
    const edge = following(8, five, 2);
    offer(edge.watch, six, { generation: 8 });
    expect(policyBytesOf(edge.host.sharedData)).toMatchObject({ generation: 8, text });
    edge.reload(1);
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([8, 8]);
  });

  it("the same generation and bytes count as known, however often they come", () => {
    const edge = following(8);
    for (let again = 0; again < 3; again++) offer(edge.watch, five, { generation: 8 });
    expect(policyInWatch(edge.watch)).toMatchObject({ generation: 8, state: "ok" });
    expect(generations(edge)).toEqual([8]);
  });
});

describe("the same bytes under a higher generation", () => {
  it("the same bytes under a higher generation are read by no worker again", () => {
    const edge = following(7, five, 3);
    const reads = countPolicyReads(edge);
    offer(edge.watch, five, { generation: 9 });
    edge.passMs(TICK_MS);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 9, state: "ok" });
    expect(generations(edge)).toEqual([9, 9, 9]);
    // The leader only, before it writes the new name beside the bytes.
    expect([...reads]).toEqual([[edge.worker(0), 1]]);
  });

  it("rejected bytes under a higher generation stay rejected, and are not parsed again", () => {
    const edge = following(7, five, 2);
    offer(edge.watch, policy({ plans: [] }), { generation: 8 });
    edge.passMs(TICK_MS);
    const reads = countPolicyReads(edge);
    offer(newestWatch(edge), policy({ plans: [] }), { generation: 9 });
    edge.passMs(1000);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 9, state: "rejected" });
    expect([...reads]).toEqual([[edge.worker(0), 1]]);
    expect(generations(edge)).toEqual([7, 7]);
  });
});

describe("going back to bytes that were in force before", () => {
  it("bytes that were in force before return on every worker under a new generation", () => {
    const edge = following(7, five, 2);
    offer(edge.watch, six, { generation: 8 });
    edge.passMs(TICK_MS);
    offer(newestWatch(edge), five, { generation: 9 });
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([9, 9]);
    expect(policyBytesOf(edge.host.sharedData)?.text).toBe(text);
  });
});
