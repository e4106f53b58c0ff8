// Open streams end with their session also where Envoy makes that hard: other code, and the filter twice in one chain.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { openHttp2 } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { openEvents, openHttp2Events, openSocket } from "../harness/long-requests.js";
import { policyOf } from "../harness/policy.js";
import { StreamingUpstream } from "../harness/streaming-upstream.js";

const TAKEN_FILTERS = "extension_config_discovery.http_filter.sluice.config_reload";
/** A tick looks at no stream before. */
const LOOKED_AT_MS = 1000;
const policy = policyOf([{ name: "default", maxTokens: 1000, tokenRefillRate: 0 }]);
const upstream = (port: number) => new StreamingUpstream().listen(port);

interface Bootstrap {
  readonly static_resources: {
    readonly listeners: {
      filter_chains: { filters: { typed_config: { http_filters: object[] } }[] }[];
    }[];
  };
}

function withFilterTwice(yaml: string): string {
  const document = parse(yaml) as Bootstrap;
  const filters = document.static_resources.listeners[0]?.filter_chains[0]?.filters[0]?.typed_config.http_filters ?? [];
  filters.splice(1, 0, { ...filters[0], name: "sluice-again" });
  return stringify(document, { lineWidth: 0 });
}

describe("code of the filter that was replaced", () => {
  const sluice = useInstallation({ policy, upstream, followedFilter: true });

  it("a stream that runs on the code before ends with its session, as one on the new code", async () => {
    const { id, token } = await sluice().api.issue();
    const port = sluice().ports.proxy;
    const before = [await openEvents(port, token), await openSocket(port, token)];
    const other = join(sluice().folder, "sluice-other.wasm");
    copyFileSync(join(projectRoot, "build/sluice.debug.wasm"), other);
    const taken = await sluice().envoyAdmin.stat(TAKEN_FILTERS);
    sluice().replaceFilter(other);
    await until(async () => {
      expect(await sluice().envoyAdmin.stat(TAKEN_FILTERS)).toBeGreaterThan(taken);
    });
    const after = await openEvents(port, token);
    expect(before.map(({ end }) => end)).toEqual([undefined, undefined]);
    await sluice().api.revoke(id);
    await until(() => {
      expect([...before, after].map(({ end }) => end)).toEqual(["ECONNRESET", "closed", "ECONNRESET"]);
    });
  });
});

describe("a chain that has the filter twice", () => {
  const sluice = useInstallation({ policy, upstream, bootstrap: withFilterTwice });

  it("a stream that two filters would end at once ends, and Envoy goes on", async () => {
    const { id, token } = await sluice().api.issue();
    const other = await sluice().api.issue();
    const port = sluice().ports.proxy;
    const http2 = await openHttp2(port);
    const kinds = [openEvents, openSocket, (_port: number, of: string) => openHttp2Events(http2, of)];
    const streams = await Promise.all([...kinds, ...kinds, ...kinds].map((open) => open(port, token)));
    await delay(LOOKED_AT_MS);
    await sluice().api.revoke(id);
    await until(() => {
      expect(streams.filter(({ end }) => end === undefined)).toHaveLength(0);
    });
    expect(sluice().envoy.running).toBe(true);
    expect((await openEvents(port, other.token)).end).toBeUndefined();
    http2.destroy();
  });
});
