// What becomes of debts and of reservations when an Envoy is killed, or its filter replaced, through real processes.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { buildWord, stamped } from "../../host/harness/builds/filter-builds.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { WORKERS } from "../harness/processes.js";
import { receive } from "../harness/received.js";
import { reported } from "../harness/settled.js";
import { ScriptedUpstream } from "../harness/scripted-upstream.js";

const LIMIT = 100;
const RESERVED = 40;
/** So slow that a test sees none of it, and a debt can be told by how long a client is to wait. */
const AN_HOUR_S = 3600;
const SLOW = { refill: "1/1h" } as const;
/** More than such a test takes. */
const TEST_TAKES_S = 300;
/** Of a filter that differs in nothing else. */
const NEXT_BUILD = 0x5e771en;
const EVENTS = { "content-type": "text/event-stream" };

const llm = { name: "llm", maxTokens: LIMIT, ...SLOW, applies: "routes" as const };
const upstream = new ScriptedUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  followedFilter: true,
  policy: policyOf([{ name: "default", maxTokens: LIMIT, ...SLOW, limits: [llm] }], {
    routes: [
      { match: { prefix: "/own" }, cost: RESERVED, settle: { json: "/total" } },
      { match: { prefix: "/llm" }, cost: 0, limits: { llm: RESERVED }, settle: { limit: "llm", json: "/total" } },
      { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } },
    ],
    response: { limits: "all" },
    controlPlane: { reportInterval: 300 },
  }),
  upstream: (port) => upstream.listen(port),
});

interface Levels {
  readonly own: number;
  readonly llm: number;
}

/** Whole tokens that the edge has of each, at least 0. */
async function left(token: string): Promise<Levels> {
  const said = String((await sluice().send({ token, path: "/peek" })).headers.ratelimit);
  const of = (name: string): number => Number(new RegExp(`"${name}";r=(\\d+)`).exec(said)?.[1]);
  return { own: of("default"), llm: of("llm") };
}

/** The levels that the edge has reported, rounded down to whole tokens. */
async function reportedLevels(id: string): Promise<Levels | undefined> {
  const { body } = await sluice().api.call("GET", `/v1/sessions/${id}/bucket`);
  const [bucket] = (body as { buckets: { tokens: number; limits: { tokens: number }[] }[] }).buckets;
  return bucket && { own: Math.floor(bucket.tokens), llm: Math.floor(bucket.limits[0]?.tokens ?? NaN) };
}

async function areReported(id: string, levels: Levels): Promise<void> {
  await until(async () => {
    expect(await reportedLevels(id)).toEqual(levels);
  });
}

const event = (total: number): Buffer => Buffer.from(`data: {"total":${total}}\n\n`);

/** What goes on at the end of a test would keep it. */
const held = new Set<() => void>();
afterEach(() => {
  for (const release of held) release();
  held.clear();
});

/** A request whose answer has begun, and says what it cost once it is released. */
async function openRequest(token: string, path: string, total: number): Promise<() => void> {
  const gate = new AbortController();
  async function* pieces(): AsyncGenerator<Buffer> {
    yield Buffer.from(": begun\n\n");
    if (!gate.signal.aborted) await once(gate.signal, "abort");
    yield event(total);
  }
  upstream.answers.set(path, { headers: EVENTS, pieces });
  await new Promise<void>((resolve, reject) => {
    const begun = (): void => {
      resolve();
    };
    receive(sluice().ports.proxy, { path, token }, begun).then(begun, reject);
  });
  const release = (): void => {
    gate.abort();
  };
  held.add(release);
  return release;
}

describe("an Envoy that is killed", () => {
  it.each([
    ["own", "default", { own: -30, llm: LIMIT }],
    ["llm", "llm", { own: LIMIT, llm: -30 }],
  ] as const)("a debt outlives an Envoy that is killed: of %s", async (kind, limit, owed) => {
    const { id, token } = await sluice().api.issue();
    const path = `/${kind}/debt`;
    upstream.answers.set(path, { headers: EVENTS, pieces: () => [event(130)] });
    expect((await sluice().send({ token, path })).status).toBe(200);
    await areReported(id, owed);
    const waitS = async (): Promise<number> => {
      const { status, headers } = await sluice().send({ token, path });
      expect([status, headers.ratelimit]).toEqual([429, expect.stringContaining(`"${limit}";r=0`)]);
      return Number(headers["retry-after"]);
    };
    const before = await waitS();
    expect(before).toBeGreaterThan((30 + RESERVED) * AN_HOUR_S - TEST_TAKES_S);
    await sluice().edge(0).restartHard();
    const after = await waitS();
    expect(after).toBeLessThanOrEqual(before);
    expect(after).toBeGreaterThan(before - TEST_TAKES_S);
  });

  it("what requests had reserved when an Envoy was killed stays spent, as it was reported", async () => {
    const { id, token } = await sluice().api.issue();
    await openRequest(token, "/own/held", 7);
    await openRequest(token, "/llm/held", 7);
    await areReported(id, { own: LIMIT - RESERVED, llm: LIMIT - RESERVED });
    await sluice().edge(0).restartHard();
    expect(await left(token)).toEqual({ own: LIMIT - RESERVED, llm: LIMIT - RESERVED });
    // Nobody says any more what they cost.
    expect((await sluice().api.session(id)).tokens.consumed).toBe(0);
  });

  it("a settlement that was not reported when its Envoy was killed is forgotten", async () => {
    const { id, token } = await sluice().api.issue();
    const release = await openRequest(token, "/llm/dirty", 7);
    await areReported(id, { own: LIMIT, llm: LIMIT - RESERVED });
    await sluice().controlPlane.killHard();
    release();
    await until(async () => {
      expect(await left(token)).toEqual({ own: LIMIT, llm: LIMIT - 7 });
    });
    await sluice().envoy.killHard();
    await sluice().controlPlane.start();
    await sluice().envoy.start();
    expect(await left(token)).toEqual({ own: LIMIT, llm: LIMIT - RESERVED });
  });
});

describe("a filter that is replaced", () => {
  it("a request under way is settled by its own filter after another one has replaced that", async () => {
    const { id, token } = await sluice().api.issue();
    const releases = [await openRequest(token, "/own/before", 7), await openRequest(token, "/llm/before", 7)];
    const next = join(sluice().folder, "sluice-next.wasm");
    writeFileSync(next, stamped(readFileSync(join(projectRoot, "build/sluice-settle.wasm")), NEXT_BUILD));
    sluice().replaceFilter(next);
    await until(async () => {
      const { workers = [] } = (await sluice().api.edges())[0]?.instances.find(({ watching }) => watching) ?? {};
      // The main thread has one too.
      expect(workers.filter(({ build }) => build === buildWord(NEXT_BUILD))).toHaveLength(WORKERS + 1);
    });
    for (const release of releases) release();
    await until(async () => {
      expect(await left(token)).toEqual({ own: LIMIT - 7, llm: LIMIT - 7 });
    });
    await reported(sluice(), id, 7);
  });
});
