// Answers that their service breaks off, before or after it has said what the request cost, over either protocol to it.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { receive } from "../harness/received.js";
import { ScriptedUpstream } from "../harness/scripted-upstream.js";

const LIMIT = 1000;
const RESERVED = 100;
const llm = { name: "llm", maxTokens: LIMIT, tokenRefillRate: 0, applies: "routes" as const };
const policy = policyOf([{ name: "default", maxTokens: LIMIT, tokenRefillRate: 0, limits: [llm] }], {
  routes: [
    ...(["keep", "refund"] as const).map((onMissing) => ({
      match: { prefix: `/${onMissing}` },
      limits: { llm: RESERVED },
      settle: { limit: "llm", json: "/total", onMissing },
    })),
    { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } },
  ],
  response: { limits: "all" },
});

const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";
/** A service breaks off behind these. */
const CASES = [
  { kind: "events-before", type: EVENTS, said: 'data: {"text":1}\n\ndata: {"total":7}\n', costs: null },
  { kind: "events-after", type: EVENTS, said: 'data: {"total":7}\n\ndata: {"total":9}\n', costs: 7 },
  { kind: "json-before", type: JSON_TYPE, said: '{"text":"","total":7', costs: null },
  { kind: "json-after", type: JSON_TYPE, said: '{"total":7,"text":"', costs: 7 },
];

describe.each([
  ["HTTP/1.1", (bootstrap: string): string => bootstrap],
  ["HTTP/2", withHttp2Upstream],
])("a service that breaks off over %s", (protocol, bootstrap) => {
  const upstream = new ScriptedUpstream();
  const listen = (port: number): Promise<() => void> => upstream.listen(port);
  const sluice = useInstallation({ filter: "sluice-settle", policy, upstream: listen, bootstrap });

  it.each(CASES.flatMap((one) => (["keep", "refund"] as const).map((onMissing) => ({ ...one, onMissing }))))(
    `an answer broken off over ${protocol} costs what it said by then: $kind, $onMissing`,
    async ({ kind, type, said, costs, onMissing }) => {
      const path = `/${onMissing}/${kind}`;
      let breakOff: () => void = () => undefined;
      async function* pieces(): AsyncGenerator<Buffer> {
        const isThere = new Promise<void>((resolve) => (breakOff = resolve));
        yield Buffer.from(said);
        // So that Envoy has all of it by then.
        await isThere;
        throw new Error("the service breaks off");
      }
      upstream.answers.set(path, { headers: { "content-type": type }, pieces });
      const { token } = await sluice().api.issue();
      const answer = await receive(sluice().ports.proxy, { path, token }, (bytes) => {
        if (bytes === said.length) breakOff();
      });
      expect(answer).toMatchObject({ status: 200, whole: false, bytes: said.length });
      const missing = onMissing === "keep" ? RESERVED : 0;
      await until(async () => {
        const { headers } = await sluice().send({ token, path: "/peek" });
        expect(headers.ratelimit).toContain(`"llm";r=${LIMIT - (costs ?? missing)}`);
      });
    },
  );
});
