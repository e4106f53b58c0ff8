// A worker's filter traps in a real Envoy while other requests of it are to be settled: what they had reserved stays spent, and
// what comes after the trap settles as before. The filter of this test is built with such a trap.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { ask, openHttp2 } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { ScriptedUpstream } from "../harness/scripted-upstream.js";
import { testBuild, TRAPS_AT_13_BYTES } from "../harness/test-builds.js";

const LIMIT = 1000;
const RESERVED = 100;
const EVENTS = { "content-type": "text/event-stream" };
const folder = mkdtempSync(join(tmpdir(), "sluice-builds-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const llm = { name: "llm", maxTokens: LIMIT, tokenRefillRate: 0, applies: "routes" as const };
const upstream = new ScriptedUpstream();
const sluice = useInstallation(async () => ({
  filterPath: await testBuild(TRAPS_AT_13_BYTES, folder),
  policy: policyOf([{ name: "default", maxTokens: LIMIT, tokenRefillRate: 0, limits: [llm] }], {
    routes: [
      {
        match: { prefix: "/chat" },
        limits: { llm: RESERVED },
        settle: { limit: "llm", json: "/total", onMissing: "refund" },
      },
      { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } },
    ],
    response: { limits: "all" },
  }),
  upstream: (port: number) => upstream.listen(port),
}));

async function leaves(token: string, expected: number): Promise<void> {
  await until(async () => {
    const { status, headers } = await sluice().send({ token, path: "/peek" });
    expect([status, headers.ratelimit]).toEqual([200, expect.stringContaining(`"llm";r=${expected}`)]);
  });
}

it("a filter that traps leaves what its other requests reserved spent, and settles later ones", async () => {
  const { token } = await sluice().api.issue();
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* held(): AsyncGenerator<Buffer> {
    yield Buffer.from(": begun\n\n");
    await released;
    yield Buffer.from('data: {"total":1}\n\n');
  }
  upstream.answers.set("/chat/held", { headers: EVENTS, pieces: held });
  upstream.answers.set("/chat/trap", { headers: EVENTS, pieces: () => [Buffer.from("13 bytes long")] });
  upstream.answers.set("/chat/next", { headers: EVENTS, pieces: () => [Buffer.from('data: {"total":7}\n\n')] });

  // One connection is one worker's.
  const connection = await openHttp2(sluice().ports.proxy);
  const request = (path: string) => ({ ":path": path, "x-session-id": token });
  const stream = connection.request(request("/chat/held"));
  stream.on("error", () => undefined);
  await once(stream, "data");
  const ended = new Promise((resolve) => stream.on("close", resolve));
  await leaves(token, LIMIT - RESERVED);
  await expect(ask(connection, request("/chat/trap"))).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
  expect(sluice().envoy.log).toContain("Function: proxy_on_response_body failed");
  release();
  stream.resume();
  await ended;
  // Envoy breaks it off as well.
  expect(stream.rstCode).not.toBe(0);
  // Its VM is replaced, though not at once.
  await until(async () => {
    expect(await ask(connection, request("/peek"))).toBe(200);
  });
  await leaves(token, LIMIT - 2 * RESERVED);
  expect(await ask(connection, request("/chat/next"))).toBe(200);
  await leaves(token, LIMIT - 2 * RESERVED - 7);
  await until(async () => {
    const counted = [...(await sluice().envoyAdmin.samples())].filter(([, count]) => count > 0);
    const settlements = counted.filter(([name]) => name.startsWith("sluice_settlements_total"));
    expect(settlements).toEqual([['sluice_settlements_total{outcome="settled"}', 1]]);
  });
  connection.close();
});
