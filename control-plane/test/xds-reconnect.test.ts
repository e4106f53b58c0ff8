// An Envoy that comes back to the xDS server, to the same one or to one that was restarted: what it is sent again.
import { describe, expect, it } from "vitest";

import { Rollout } from "../src/app/rollout.js";
import { extensionConfig } from "./support/xds-client.js";
import { generationIn, servingXds, until } from "./support/xds-server.js";

describe("an Envoy that reconnects", () => {
  it("is not sent again what it runs, and is sent the next policy", async () => {
    const { policies, rollout, serve, envoy, running } = servingXds();
    const server = await serve();
    const { stream, response } = await running(server);
    stream.close();
    const again = envoy(server);
    again.subscribe(response.version_info);
    await until(() => {
      expect(rollout.edge("gw-1")?.streams).toBe(1);
    });
    policies.publish();
    expect(generationIn(await again.next())).toBe(2);
  });

  it("to a restarted control plane is not sent again what it runs", async () => {
    const { serve, envoy, running } = servingXds();
    const first = await serve();
    const { response } = await running(first);
    await first.close();
    const rollout = new Rollout({ nowMs: () => 0, monotonicMs: () => 0 });
    const again = envoy(await serve({ rollout }));
    again.subscribe(response.version_info);
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ running: 1, state: "running", sent: null });
    });
  });

  it("is sent the same policy where the filter's path changed meanwhile", async () => {
    const { serve, envoy, running } = servingXds();
    const first = await serve();
    const { response } = await running(first);
    await first.close();
    const again = envoy(await serve({ filterPath: "/etc/sluice/sluice-2.wasm" }));
    again.subscribe(response.version_info);
    expect(JSON.stringify(extensionConfig(await again.next()))).toContain("sluice-2.wasm");
  });

  it("before it has answered is sent other bytes: it may have refused the first", async () => {
    const { serve, envoy } = servingXds();
    const server = await serve();
    const stream = envoy(server);
    stream.subscribe();
    const unanswered = await stream.next();
    stream.close();
    const again = envoy(server);
    again.subscribe();
    expect((await again.next()).resources[0]?.value).not.toEqual(unanswered.resources[0]?.value);
  });

  it("with a version of another server's making is sent the policy", async () => {
    const { serve, envoy } = servingXds();
    const stream = envoy(await serve());
    stream.subscribe("v1");
    expect(generationIn(await stream.next())).toBe(1);
  });

  it("and goes for good is known to be gone", async () => {
    const { rollout, counted, serve, running } = servingXds();
    const { stream } = await running(await serve());
    stream.close();
    await until(() => {
      expect(rollout.edge("gw-1")).toMatchObject({ streams: 0, running: 1 });
    });
    expect(counted.at(-1)).toBe("closed");
  });
});
