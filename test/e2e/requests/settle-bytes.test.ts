// What language models answer, written byte by byte: each byte goes out once the client has got the one before, so that
// each passes Envoy by itself, over either protocol to the service.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { usageResponses } from "../../host/usage/usage-readers.js";
import { withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { receive, sha256Of } from "../harness/received.js";
import { ScriptedUpstream } from "../harness/scripted-upstream.js";

const LIMIT = 1000;
const RESERVED = 100;
const llm = { name: "llm", maxTokens: LIMIT, tokenRefillRate: 0, applies: "routes" as const };
const policy = policyOf([{ name: "default", maxTokens: LIMIT, tokenRefillRate: 0, limits: [llm] }], {
  routes: [
    ...usageResponses().map(({ pointer }, index) => ({
      match: { path: `/chat/${index}` },
      limits: { llm: RESERVED },
      settle: { limit: "llm", json: pointer },
    })),
    { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } },
  ],
  response: { limits: "all" },
});

describe.each([
  ["HTTP/1.1", (bootstrap: string): string => bootstrap],
  ["HTTP/2", withHttp2Upstream],
])("a language model that answers byte by byte over %s", (protocol, bootstrap) => {
  const upstream = new ScriptedUpstream();
  const sluice = useInstallation({
    filter: "sluice-settle",
    policy,
    upstream: (port) => upstream.listen(port),
    bootstrap,
  });

  it.each(usageResponses().map((response, index) => ({ ...response, index })))(
    `an answer that comes byte by byte over ${protocol} is paid by what it says: $name`,
    async ({ contentType, units, body, index }) => {
      const bytes = Buffer.from(body);
      const path = `/chat/${index}`;
      const pace = new Pace();
      upstream.answers.set(path, { headers: { "content-type": contentType }, pieces: () => pace.each(bytes) });
      const { token } = await sluice().api.issue();
      let pieces = 0;
      const answer = await receive(sluice().ports.proxy, { path, token }, (got) => {
        pieces++;
        pace.reached(got);
      });
      expect(answer).toMatchObject({ whole: true, bytes: bytes.length, sha256: sha256Of([bytes]) });
      expect(pieces).toBe(bytes.length);
      await until(async () => {
        const { headers } = await sluice().send({ token, path: "/peek" });
        expect(headers.ratelimit).toContain(`"llm";r=${LIMIT - (units ?? RESERVED)}`);
      });
    },
  );
});

/** Lets a byte go once the client has got all before it. */
class Pace {
  private got = 0;
  private wake: () => void = () => undefined;

  reached(bytes: number): void {
    this.got = bytes;
    this.wake();
  }

  async *each(bytes: Buffer): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at++) {
      if (this.got < at) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
      yield bytes.subarray(at, at + 1);
    }
  }
}
