// Answers that are too long to be read, long event streams, and such as are compressed although nobody asked for it: each
// reaches its client as it is, whatever it costs.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { guestBytes, residentBytes } from "../harness/memory.js";
import { policyOf, type Settle } from "../harness/policy.js";
import { receive, type Received, sha256Of } from "../harness/received.js";
import { ScriptedUpstream } from "../harness/scripted-upstream.js";

const LIMIT = 1000;
const RESERVED = 100;
const MIB = 1 << 20;
const JSON_TYPE = "application/json";
const EVENTS = "text/event-stream";
/** So many events of 64 KiB: 48 MiB. */
const MANY_EVENTS = 768;
/** What of such a stream may stand in an Envoy at a time: buffers of its connections, not the stream. */
const MAY_GROW_BYTES = 16 * MIB;

const route = (path: string, more: Partial<Settle> = {}) => ({
  match: { prefix: path },
  limits: { llm: RESERVED },
  settle: { limit: "llm", json: "/usage/total_tokens", ...more },
});
const llm = { name: "llm", maxTokens: LIMIT, tokenRefillRate: 0, applies: "routes" as const };
const upstream = new ScriptedUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  policy: policyOf([{ name: "default", maxTokens: LIMIT, tokenRefillRate: 0, limits: [llm] }], {
    routes: [
      route("/keep"),
      route("/refund", { onMissing: "refund" }),
      { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } },
    ],
    response: { limits: "all" },
  }),
  upstream: (port) => upstream.listen(port),
});

/** Sends one request, and says what its session has left once the settlement was counted under `outcome`. */
async function paid(
  path: string,
  { type, pieces, outcome, headers = {} }: Served,
  onBytes?: () => void,
): Promise<{ answer: Received; left: number }> {
  upstream.answers.set(path, { headers: { "content-type": type, ...headers }, pieces });
  const { token } = await sluice().api.issue();
  const before = await counted(outcome);
  const answer = await receive(
    sluice().ports.proxy,
    { path, token, headers: { "accept-encoding": "gzip, br" } },
    onBytes,
  );
  await until(async () => {
    expect(await counted(outcome)).toBe(before + 1);
  });
  const { headers: said } = await sluice().send({ token, path: "/peek" });
  return { answer, left: Number(/"llm";r=(\d+)/.exec(String(said.ratelimit))?.[1]) };
}

interface Served {
  readonly type: string;
  readonly pieces: () => Iterable<Buffer>;
  readonly outcome: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const counted = (outcome: string): Promise<number> =>
  sluice().envoyAdmin.sample(`sluice_settlements_total{outcome="${outcome}"}`);

const usage = (tokens: number): string => `"usage":{"total_tokens":${tokens}}`;
const asIs = (pieces: () => Iterable<Buffer>): Partial<Received> => ({
  status: 200,
  whole: true,
  sha256: sha256Of(pieces()),
});

describe("an answer that is too long to be read", () => {
  it.each(["/keep", "/refund"])("more than 1 MiB of JSON before its cost keeps what was reserved: %s", async (path) => {
    const pieces = (): Buffer[] => [Buffer.from(`{"text":"${"x".repeat(2 * MIB)}",${usage(7)}}`)];
    const { answer, left } = await paid(path, { type: JSON_TYPE, pieces, outcome: "too_long" });
    expect(answer).toMatchObject(asIs(pieces));
    expect(left).toBe(LIMIT - RESERVED);
  });

  it.each(["/keep", "/refund"])(
    "an event of more than 1 MiB before its cost keeps what was reserved: %s",
    async (path) => {
      const pieces = (): Buffer[] => [Buffer.from(`data: {"text":"${"x".repeat(2 * MIB)}",${usage(7)}}\n\n`)];
      const { answer, left } = await paid(path, { type: EVENTS, pieces, outcome: "too_long" });
      expect(answer).toMatchObject(asIs(pieces));
      expect(left).toBe(LIMIT - RESERVED);
    },
  );

  it.each([
    ["begins with its cost", (long: string): string => `data: {${usage(7)},"text":"${long}"}\n\n`],
    [
      "comes before the one with the cost",
      (long: string): string => `data: {"text":"${long}"}\n\ndata: {${usage(7)}}\n\n`,
    ],
    [
      "comes after the one with the cost",
      (long: string): string => `data: {${usage(7)}}\n\ndata: {"text":"${long}"}\n\n`,
    ],
  ])("an event of more than 1 MiB that %s hides nothing", async (_name, stream) => {
    const pieces = (): Buffer[] => [Buffer.from(stream("x".repeat(2 * MIB)))];
    const { answer, left } = await paid("/keep", { type: EVENTS, pieces, outcome: "settled" });
    expect(answer).toMatchObject(asIs(pieces));
    expect(left).toBe(LIMIT - 7);
  });
});

describe("an event stream of many MiB", () => {
  function* events(): Generator<Buffer> {
    const event = Buffer.from(`data: {"choices":["${"x".repeat(65_510)}"],"usage":null}\n\n`);
    for (let sent = 0; sent < MANY_EVENTS; sent++) yield event;
    yield Buffer.from(`data: {${usage(7)}}\n\ndata: [DONE]\n\n`);
  }

  it("48 MiB of events are paid by the last one, and Envoy keeps none of them", async () => {
    const served = { type: EVENTS, pieces: events, outcome: "settled" };
    // The first one fills the buffers that an Envoy keeps.
    await paid("/keep/first", served);
    const { pid } = sluice().envoy;
    const before = { guests: guestBytes(pid), resident: residentBytes(pid) };
    let most = 0;
    const { answer, left } = await paid("/keep/many", served, () => {
      most = Math.max(most, residentBytes(pid));
    });
    expect(answer).toMatchObject(asIs(events));
    expect(answer.bytes).toBeGreaterThan(48 * MIB);
    expect(left).toBe(LIMIT - 7);
    expect(guestBytes(pid)).toEqual(before.guests);
    expect(before.guests.length).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(0);
    expect(most - before.resident).toBeLessThan(MAY_GROW_BYTES);
  });
});

describe("an answer that is compressed although the request did not accept it", () => {
  it.each([
    ["/keep/json", JSON_TYPE, `{${usage(7)}}`],
    ["/refund/json", JSON_TYPE, `{${usage(7)}}`],
    ["/keep/events", EVENTS, `data: {${usage(7)}}\n\n`],
    ["/refund/events", EVENTS, `data: {${usage(7)}}\n\n`],
  ])("a compressed answer passes as it is, keeps its reservation and is counted: %s", async (path, type, body) => {
    const pieces = (): Buffer[] => [gzipSync(body)];
    const headers = { "content-encoding": "gzip" };
    const { answer, left } = await paid(path, { type, pieces, outcome: "compressed", headers });
    expect(answer).toMatchObject(asIs(pieces));
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(upstream.acceptEncodings.get(path)).toBe("");
    expect(left).toBe(LIMIT - RESERVED);
  });
});
