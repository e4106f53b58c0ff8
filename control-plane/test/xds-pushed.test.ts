// What the xDS server has pushed is known by the hash over its bytes, also after a restart.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { extensionConfig } from "./support/xds-client.js";
import { servingXds } from "./support/xds-server.js";

describe("what was pushed", () => {
  const policies = {
    published: () => ({ generation: 3, pushedJson: (revision: string) => JSON.stringify({ revision, name: "ü" }) }),
    subscribe: () => () => undefined,
  };

  async function served() {
    const { rollout, serve, envoy } = servingXds();
    return { rollout, envoy: envoy(await serve({ policies })) };
  }

  it("is named by the hash over the very bytes that the filter is configured with", async () => {
    const { rollout, envoy } = await served();
    envoy.subscribe();
    const { value } = extensionConfig(await envoy.next());
    const { config } = value as { config: { configuration: { value: string } } };
    const hash = createHash("sha256").update(config.configuration.value).digest("hex").slice(0, 16);
    expect(rollout.edge("gw-1")?.pushed).toEqual([{ generation: 3, policyHash: hash }]);
  });

  it("is known again when an Envoy comes back with it after the control plane's restart", async () => {
    const before = await served();
    before.envoy.subscribe();
    const response = await before.envoy.next();
    const after = await served();
    after.envoy.subscribe(response.version_info);
    await expect.poll(() => after.rollout.edge("gw-1")?.pushed).toEqual(before.rollout.edge("gw-1")?.pushed);
    expect(after.rollout.edge("gw-1")).toMatchObject({ running: 3, sent: null });
  });
});
