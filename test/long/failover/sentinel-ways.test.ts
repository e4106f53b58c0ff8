// Sentinels as they are met: with passwords, over TLS, with two replicas, with one among them that is wrong, and parted from a primary that lives.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { RedisAddress } from "../../../control-plane/src/store/store-address.js";
import { authorityIn } from "../../../control-plane/test/support/certificates.js";
import { initStore } from "../../../control-plane/test/support/planes-over-server.js";
import type { Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { FELLOWS, SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import type { SentinelSetOptions } from "../../../control-plane/test/support/servers/sentinel-set.js";
import { FIXTURE } from "../../../control-plane/test/support/servers/server-settings.js";
import { useProgram } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";
import { expectCounted, failover, killPrimary, notMadeGood, numberIn } from "./failovers.js";
import { Scene } from "./scene.js";

const LASTING = { appendonly: true, appendfsync: "always" } as const;
const PASSWORD = "of the/servers: @1";
const OF_SENTINEL = "of-the-sentinels";
const program = useProgram("Redis 7");

let folder = "";
let set: SentinelSet | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-sentinels-"));
});
afterEach(() => set?.remove());
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function started(options: SentinelSetOptions, login: Partial<RedisAddress> = {}): Promise<SentinelSet> {
  set = await SentinelSet.start(program(), { ...options, server: { ...LASTING, ...options.server } });
  await initStore(set.members[0].server.port, undefined, login);
  return set;
}

const planes = (url: string, settings: Record<string, string>, reportsAgain = false): Promise<Scene> =>
  Scene.start({ stores: [url, url], settings: [settings, settings], reportsAgain });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function notReady(plane: Plane, why: string): Promise<void> {
  await until(async () => {
    const readiness = await plane.readiness();
    expect(readiness.why).toContain(why);
    expect(readiness.status).toBe(503);
  });
}

describe("sentinels that know whom they let in", () => {
  it("servers and sentinels with passwords of their own: a failover loses nothing", async () => {
    const set = await started(
      { server: { requirepass: PASSWORD }, sentinel: { requirepass: OF_SENTINEL } },
      { password: PASSWORD },
    );
    const one = await planes(set.url, { SLUICE_STORE_SENTINEL_FILE: file("sentinel", `:${OF_SENTINEL}`) });
    const { untrue } = await one.through(() => failover(set));
    expect(one.problems(untrue)).toEqual([]);
    const secrets = [PASSWORD, encodeURIComponent(PASSWORD), OF_SENTINEL];
    for (const { log } of one.planes) expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  });

  it("sentinels and servers that speak TLS only: a failover loses nothing", async () => {
    const authority = authorityIn(folder, "ca");
    const tls = { ...authority.issue("member"), ca: authority.cert };
    const ca = { variable: "SLUICE_STORE_CA_FILE", path: authority.cert };
    const set = await started({ server: { tls }, sentinel: { tls } }, { tls: { ca, client: null } });
    expect(set.url).toMatch(/^rediss\+sentinel:/);
    const one = await planes(set.url, { SLUICE_STORE_CA_FILE: authority.cert });
    const { untrue } = await one.through(() => failover(set));
    expect(one.problems(untrue)).toEqual([]);
  });
});

describe("a primary with two replicas, one of which each write waits for", () => {
  it("each write is taken after a failover though the former primary stays away", async () => {
    const set = await started({ replicas: 2 });
    const one = await planes(set.url, {});
    const { untrue } = await one.through(async () => {
      const { back } = await killPrimary(set);
      await one.more(3);
      await back();
    });
    expect(one.problems(untrue)).toEqual([]);
  });

  it("the replica that is furthest takes over of two, and has all that was acknowledged", async () => {
    const set = await started({ replicas: 2 });
    const one = await planes(set.url, {});
    const { untrue } = await one.through(async () => {
      // Of replicas that are as far Sentinel takes the one with the lower run id: that one falls behind here.
      const named = await Promise.all(
        (await set.replicas()).map(async (member) => ({ member, id: String(await member.server.info("run_id")) })),
      );
      const [behind, ahead] = named.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ member }) => member);
      await set.cutReplica(behind);
      await one.more(3, ["201", "204"]);
      const { back } = await killPrimary(set);
      expect(await set.primary()).toBe(ahead);
      await behind?.server.command("CONFIG", "SET", "masterauth", FIXTURE.password);
      await back();
    });
    expect(one.problems(untrue)).toEqual([]);
  });
});

describe("sentinels that are not of one mind with the servers", () => {
  it("a sentinel that names the former primary is passed over, also at a start", async () => {
    const set = await started({});
    const [first, second, wrong] = set.sentinels;
    if (first === undefined || second === undefined || wrong === undefined) throw new Error("there are three");
    const one = await planes(set.urlBy([wrong, first, second]), {});
    const { untrue } = await one.through(async () => {
      const former = await set.primary();
      await set.deafen(wrong);
      await set.switchOver();
      await set.complete();
      const said = await wrong.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "sluice");
      expect(said).toEqual(["127.0.0.1", String(former.proxy.port)]);
      await one.planes[0].kill();
      await one.planes[0].restart();
    });
    expect(one.problems(untrue)).toEqual([]);
  });

  it("a primary that only control planes reach takes nothing that is lost where each write waits", async () => {
    const set = await started({});
    const one = await planes(set.url, { SLUICE_STORE_REPLICAS: "1" });
    const { untrue } = await one.through(async () => {
      const primary = await set.primary();
      primary.proxy.partition(...FELLOWS);
      await set.failedOver(primary);
      for (const plane of one.planes) await notReady(plane, "0 of 1 replicas have confirmed a write");
      primary.proxy.resume();
      await set.complete();
    });
    expect(one.problems(untrue)).toEqual([]);
  });

  it("what a primary that only control planes reach has taken is counted where no write waits", async () => {
    const set = await started({});
    const one = await planes(set.url, { SLUICE_STORE_REPLICAS: "0" }, true);
    let had = 0;
    const { untrue } = await one.through(async () => {
      const primary = await set.primary();
      primary.proxy.partition(...FELLOWS);
      await set.failedOver(primary);
      await one.more(3, ["201", "204"]);
      primary.proxy.partition();
      had = await numberIn(primary.server, "commits");
      primary.proxy.resume();
      await set.complete();
    });
    await expectCounted(one, set, { had, untrue });
    expect(notMadeGood(untrue)).toEqual([]);
  });
});
