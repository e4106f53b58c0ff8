// The lean build of the filter in a real Envoy: everything but limit headers on what passes.
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { INVALID } from "../harness/answers.js";
import { drive, openHttp2, times } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyDocument, type PolicyRest } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const PLANS = [
  { name: "default", maxTokens: 10, tokenRefillRate: 0 },
  { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
  { name: "counted", maxTokens: 9_000_000, tokenRefillRate: 0 },
];
const silent = (rest: PolicyRest = {}): PolicyDocument =>
  policyOf(PLANS, { response: { headers: "none" }, controlPlane: { reportInterval: 300 }, ...rest });

const sluice = useInstallation({ filter: "sluice-lean", policy: silent() });

describe("an Envoy with the lean build", () => {
  it("the lean build gives a session exactly its tokens over both workers", async () => {
    const { id, token } = await sluice().api.issue();
    const connections = await sluice().connect(4);
    let left = 40;
    const next = () => (left-- > 0 ? { "x-session-id": token } : null);
    const { statuses, failures } = await drive({ connections, inFlight: 4, next });
    for (const connection of connections) connection.close();
    expect(failures).toEqual([]);
    expect(statuses).toEqual({ 200: 10, 429: 30 });
    await reported(sluice(), id, 10);
  });

  it("the lean build adds no limit headers to what passes", async () => {
    const { token } = await sluice().api.issue();
    const { status, headers } = await sluice().send({ token });
    expect(status).toBe(200);
    expect(Object.keys(headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
  });

  it("the lean build denies a session that was revoked", async () => {
    const { id, token } = await sluice().api.issue("large");
    expect(await sluice().statuses(token, 3)).toEqual([200, 200, 200]);
    await sluice().api.call("DELETE", `/v1/sessions/${id}`);
    await until(async () => {
      expect(await sluice().send({ token })).toMatchObject({ status: 401, body: INVALID });
    });
  });

  it("the lean build takes policy changes under load without failing a request", async () => {
    const { token } = await sluice().api.issue("counted");
    const connections = await sluice().connect(4);
    let over = false;
    const load = drive({ connections, inFlight: 2, next: () => (over ? null : { "x-session-id": token }) });
    for (const body of ["problem", "json", "problem"] as const) {
      await sluice().changePolicy(silent({ response: { headers: "none", body } }));
    }
    over = true;
    const { statuses, failures } = await load;
    for (const connection of connections) connection.close();
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(["200"]);
    await until(async () => {
      const counted = await sluice().envoyAdmin.sample('sluice_requests_total{outcome="allowed",plan="counted"}');
      expect(counted).toBe(statuses[200]);
    });
    await sluice().changePolicy(silent());
  });

  it("the lean build logs that it adds no limit headers where the policy asks for them", async () => {
    const { token } = await sluice().api.issue("large");
    await sluice().changePolicy(policyOf(PLANS));
    await until(() => {
      expect(sluice().envoy.log).toMatch(/response\.headers.*sluice-lean\.wasm/);
    });
    const { status, headers } = await sluice().send({ token });
    expect(status).toBe(200);
    expect(Object.keys(headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
  });
});

const [otherPort = 0] = await freePorts(1);

interface Bootstrap {
  readonly static_resources: { readonly listeners: unknown[] };
}

/** envoy.yaml with a second listener: the same filter under another root. */
function withSecondListener(yaml: string): string {
  const document = parse(yaml) as Bootstrap;
  const copy = JSON.parse(JSON.stringify(document.static_resources.listeners[0]), (key, value: unknown) => {
    if (key === "port_value") return otherPort;
    return key === "root_id" ? "second" : value;
  }) as object;
  document.static_resources.listeners.push({ ...copy, name: "second" });
  return JSON.stringify(document);
}

describe("two listeners with one policy in the lean build", () => {
  const ACQUIRE_TIMEOUT_MS = 200;
  /** A root that does not tick is kept for so long: three of them and a second, for each slot of a root. */
  const KEPT_MS = (3 * ACQUIRE_TIMEOUT_MS + 1000) * 4;
  const both = useInstallation({
    filter: "sluice-lean",
    bootstrap: withSecondListener,
    policy: silent({ controlPlane: { acquireTimeout: ACQUIRE_TIMEOUT_MS } }),
  });

  it("two listeners of the lean build go on asking for sessions, however long they run", async () => {
    const connection = await openHttp2(otherPort);
    const startedMs = performance.now();
    while (performance.now() - startedMs < 2 * KEPT_MS) {
      const { token } = await both().api.issue();
      const { statuses } = await drive({
        connections: [connection],
        inFlight: 1,
        next: times(1, { "x-session-id": token }),
      });
      expect(statuses).toEqual({ 200: 1 });
      expect(await both().statuses(token, 1)).toEqual([200]);
    }
    connection.close();
  });
});
