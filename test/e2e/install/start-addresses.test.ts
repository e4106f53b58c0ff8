// npm start with the control plane on another address: Envoy reaches it there, and "ready" is said once it has.
import { readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { ready, stopped, tokenIn, useNpmStart } from "../harness/npm-start.js";

const npm = useNpmStart();

/** Under it the proxy answers 200 with a policy as well as without one that it could wait for. */
const OFF = "version: 1\nenforcement: off\nplans: [{ id: 0, name: default, maxTokens: 100, tokenRefillRate: 10 }]\n";
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const HOSTS = ["localhost", "127.0.0.2", "0.0.0.0", ...(hasIpv6 ? ["::1", "::"] : [])];

it.each(HOSTS)("npm start with SLUICE_HTTP_HOST %s is ready once its Envoy has reported its policy", async (host) => {
  const policy = join(npm().dataDir, "off.yaml");
  writeFileSync(policy, OFF);
  const said = await ready(npm().start({ SLUICE_HTTP_HOST: host, SLUICE_POLICY: policy }));
  const [, plane = ""] = /control plane (\S+), Envoy/.exec(said) ?? [];
  const authorization = `Bearer ${readFileSync(join(npm().dataDir, "admin-token"), "utf8").trim()}`;
  const edges = async (): Promise<unknown> => (await fetch(`${plane}/v1/edges`, { headers: { authorization } })).json();
  expect(await edges()).toMatchObject({ edges: [{ edge: "sluice-edge", published: 1, received: { generation: 1 } }] });

  // A policy that is saved now arrives, and with it whatever else the control plane has to say.
  writeFileSync(policy, OFF.replace("off", "enforce"));
  await until(async () => {
    expect((await fetch(npm().url)).status).toBe(401);
  });
  expect((await fetch(npm().url, { headers: { "X-Session-ID": tokenIn(said) } })).status).toBe(200);
});

it("npm start with a SLUICE_HTTP_HOST that has no address says so in one sentence", async () => {
  const { code, stderr } = await npm().start({ SLUICE_HTTP_HOST: "no-such-host.invalid" }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^sluice: SLUICE_HTTP_HOST must be an address or a name of this machine, got "no-such-host.*\.\n$/,
  );
});

it("npm start with the proxy on localhost or on every address of IPv6 serves there", async () => {
  const said = await ready(npm().start({ SLUICE_PROXY_HOST: hasIpv6 ? "::" : "localhost" }));
  const [, proxy = ""] = /ready: proxy (\S+),/.exec(said) ?? [];
  expect((await fetch(`${proxy}/`)).status).toBe(401);
});

it("npm start ends quietly, with nothing left, when whoever read its output is gone", async () => {
  const one = npm().start();
  await until(() => {
    expect(one.stdout).toContain("starting");
  });
  one.process.stdout?.destroy();
  expect(await one.ended).toEqual({ code: 0, stderr: "" });
  npm().nothingIsLeft();
});

it("npm start stops in order on Ctrl-C when its reader has gone after it was ready", async () => {
  const one = npm().start();
  await ready(one);
  one.process.stdout?.destroy();
  expect((await fetch(npm().url)).status).toBe(401);
  expect(await stopped(one, "SIGINT")).toEqual({ code: 0, stderr: "" });
  npm().nothingIsLeft();
});
