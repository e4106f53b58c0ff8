// The lean build of the filter in a real Envoy: everything but limit headers on what passes.
import { describe, expect, it } from "vitest";
import { INVALID } from "./harness/answers.js";
import { drive } from "./harness/http2-load.js";
import { useInstallation } from "./harness/installation.js";
import { linesOf } from "./harness/log-lines.js";
import { policyOf, type PolicyDocument, type PolicyRest } from "./harness/policy.js";
import { reported } from "./harness/settled.js";
import { until } from "./harness/until.js";

const PLANS = [
  { name: "default", maxTokens: 10, tokenRefillRate: 0 },
  { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
];
const silent = (rest: PolicyRest = {}): PolicyDocument =>
  policyOf(PLANS, { response: { headers: "none" }, controlPlane: { reportInterval: 300 }, ...rest });

const sluice = useInstallation({ filter: "sluice-lean", policy: silent() });

describe("an Envoy with the lean build", () => {
  it("gives a session its tokens and not one more, over both workers, and reports them", async () => {
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

  it("adds no limit headers to what passes", async () => {
    const { token } = await sluice().api.issue();
    const { status, headers } = await sluice().send({ token });
    expect(status).toBe(200);
    expect(Object.keys(headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
  });

  it("refuses a session that was revoked", async () => {
    const { id, token } = await sluice().api.issue("large");
    expect(await sluice().statuses(token, 3)).toEqual([200, 200, 200]);
    await sluice().api.call("DELETE", `/v1/sessions/${id}`);
    await until(async () => {
      expect(await sluice().send({ token })).toMatchObject({ status: 401, body: INVALID });
    });
  });

  it("takes changes of the policy under load without failing a request, and counts each", async () => {
    const before = await sluice().envoyAdmin.stat("wasmcustom.sluice_requests.outcome.allowed.plan.large");
    const { token } = await sluice().api.issue("large");
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
      const after = await sluice().envoyAdmin.stat("wasmcustom.sluice_requests.outcome.allowed.plan.large");
      expect(after - before).toBe(statuses[200]);
    });
    await sluice().changePolicy(silent());
  });

  it("refuses a policy that wants limit headers, and goes on with the one it has", async () => {
    const { token } = await sluice().api.issue("large");
    sluice().writePolicy(policyOf(PLANS));
    await until(() => {
      expect(linesOf(sluice().controlPlane, "policy-refused-by-edge")).not.toEqual([]);
    });
    await until(() => {
      expect(sluice().envoy.log).toContain("response.headers: expected none, since this is sluice-lean.wasm");
    });
    expect(await sluice().statuses(token, 2)).toEqual([200, 200]);
  });
});
