// Answers of a broken, older or hostile control plane to a watch: the filter stays up, goes on with its policy, and logs
// what is wrong. The tests run a server of their own behind Envoy's cluster.
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { headersOf, policyHash } from "../../host/harness/scenes/policy-offer.js";
import { HostilePlane, type WatchAnswer } from "../harness/hostile-plane.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const SETTINGS = policyOf([{ name: "default", maxTokens: 99, tokenRefillRate: 0 }]);
const OTHER = policyOf([{ name: "default", maxTokens: 7, tokenRefillRate: 0 }]);
const LOG = "00000000000000a1";
const TEN_MB = 10_000_000;
const MALFORMED = "fail: watch: the answer is none of a control plane";

const sluice = useInstallation({ policy: SETTINGS, settingsPolicy: SETTINGS, controlPlane: false });

let plane: HostilePlane;
beforeAll(async () => {
  plane = await HostilePlane.listen(sluice().ports.http);
});
afterEach(() => {
  plane.answer = undefined;
});
afterAll(async () => {
  await plane.close();
});

const outcomes = (outcome: string) =>
  sluice().envoyAdmin.sample(`sluice_calls_total{outcome="${outcome}",call="watch"}`);

/** Admitted unverified: no control plane answers for its session. */
async function tokensServed(): Promise<string> {
  const { token } = sluice().mint.mint(Date.now());
  const { status, headers } = await sluice().send({ token });
  expect(status).toBe(200);
  return String(headers["ratelimit-policy"]);
}

/** Answers some watches so, each of which must be counted under the outcome, while requests are served as before. */
async function answered(answer: WatchAnswer, outcome: string, served = '"default";q=99'): Promise<void> {
  const before = await outcomes(outcome);
  plane.answer = answer;
  await until(async () => {
    expect(await tokensServed()).toBe(served);
    expect(await outcomes(outcome)).toBeGreaterThan(before + 2);
  });
  expect(sluice().envoy.running).toBe(true);
  expect(sluice().envoy.log).not.toMatch(/Function: proxy_on_\w+ failed|Plugin Failed/);
}

function policyAnswer(bytes: string, offered: Parameters<typeof headersOf>[1] = {}): WatchAnswer {
  return (response) => response.writeHead(200, headersOf(bytes, { log: LOG, ...offered })).end(bytes);
}

describe("an answer to a watch", () => {
  it("a garbage answer is malformed, with or without a policy's headers", async () => {
    const rubbish = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 151) % 256));
    await answered((response) => response.writeHead(200).end(rubbish), "malformed");
    const headers = { ...headersOf("", { log: LOG }), "x-sluice-policy-generation": "no number" };
    await answered((response) => response.writeHead(200, headers).end(rubbish), "malformed");
  });

  it("an answer that breaks off half way is an error", async () => {
    const bytes = JSON.stringify(OTHER);
    const half = (response: ServerResponse): void => {
      response.writeHead(200, { ...headersOf(bytes, { log: LOG }), "content-length": bytes.length });
      response.write(bytes.slice(0, bytes.length / 2), () => response.destroy());
    };
    await answered(half, "error");
  });

  it("an answer whose bytes have another hash than it says is malformed", async () => {
    await answered(policyAnswer(JSON.stringify(OTHER), { hash: policyHash("another") }), "malformed");
  });

  it("an answer of 10 MB is malformed, with or without a policy's headers", async () => {
    const large = `${JSON.stringify(OTHER).slice(0, -1)}${" ".repeat(TEN_MB)}}`;
    await answered(policyAnswer(large), "malformed");
    await answered((response) => response.writeHead(200).end(large), "malformed");
  });

  it("a watch that is never answered changes nothing", async () => {
    for (let i = 0; i < 20; i++) expect(await tokensServed()).toBe('"default";q=99');
  });

  it("a wrong answer is logged once a minute, however often it comes", async () => {
    const lines = sluice().envoy.log.split("\n");
    expect(await outcomes("malformed")).toBeGreaterThan(10);
    expect(lines.filter((line) => line.includes(MALFORMED))).toHaveLength(1);
  });

  it("bytes that are no policy are rejected once, and the edge says why", async () => {
    plane.answer = policyAnswer('{"version":1,"plans":"none"}', { generation: 3 });
    await until(() => {
      expect(plane.policyInWatch).toMatchObject({ generation: 3, state: "rejected" });
    });
    plane.answer = undefined;
    expect(plane.policyInWatch?.violations).toEqual([expect.objectContaining({ path: "plans" })]);
    expect(await tokensServed()).toBe('"default";q=99');
  });

  it("a generation older than the edge's is not taken", async () => {
    plane.answer = policyAnswer(JSON.stringify(OTHER), { generation: 5 });
    await until(async () => {
      expect(plane.policyInWatch).toMatchObject({ generation: 5, state: "ok" });
      expect(await tokensServed()).toBe('"default";q=7');
    });
    const older = policyOf([{ name: "default", maxTokens: 55, tokenRefillRate: 0 }]);
    await answered(policyAnswer(JSON.stringify(older), { generation: 4 }), "ok", '"default";q=7');
    expect(plane.policyInWatch).toMatchObject({ generation: 5, state: "ok" });
  });

  it("a control plane that knows fewer fields is understood, with defaults for the rest", async () => {
    const older = { version: 1, plans: [{ id: 0, name: "default", maxTokens: 8, tokenRefillRate: 0 }] };
    plane.answer = policyAnswer(JSON.stringify(older), { generation: 6 });
    await until(async () => {
      expect(plane.policyInWatch).toMatchObject({ generation: 6, state: "ok" });
      expect(await tokensServed()).toBe('"default";q=8');
    });
  });
});
