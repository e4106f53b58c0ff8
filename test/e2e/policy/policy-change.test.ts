// Policy changes: an operator saves policy.yaml while traffic flows.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { drive } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { type LogLine, linesOf } from "../harness/log-lines.js";
import { type Plan, policyOf, type PolicyRest } from "../harness/policy.js";

const LARGE: Plan = { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 };
const small = (maxTokens: number): Plan => ({ name: "small", maxTokens, tokenRefillRate: 0 });
const policyWith = (maxTokens: number, rest: PolicyRest = {}) => policyOf([small(maxTokens), LARGE], rest);

const sluice = useInstallation({ policy: policyWith(10), followedFilter: true });

/** Of the file that Envoy follows: counted once every worker has turned to it, or once it was not taken. */
const TAKEN_FILTERS = "extension_config_discovery.http_filter.sluice.config_reload";
const REJECTED_FILTERS = "extension_config_discovery.http_filter.sluice.update_rejected";

interface Rejection extends LogLine {
  readonly generation?: number;
  readonly violations?: readonly { readonly path: string; readonly line: number | null; readonly message: string }[];
}

/** Saves what the control plane will reject; resolves with its log line. */
async function saveRejected(text: string): Promise<Rejection> {
  const rejections = (): Rejection[] => linesOf(sluice().controlPlane, "policy-rejected");
  const before = rejections().length;
  sluice().writePolicy(text);
  return until(() => {
    const rejection = rejections()[before];
    if (rejection === undefined) throw new Error("the policy has not been rejected yet");
    return rejection;
  });
}

describe("a change of the policy under load", () => {
  it("a policy change under load fails no request and gives no spent session a token", async () => {
    const connections = await sluice().connect(4);
    const spender = await sluice().api.issue("large");
    const exhausted = await sluice().api.issue("small");
    expect(await sluice().statuses(exhausted.token, 11)).toEqual([...Array<number>(10).fill(200), 429]);

    let over = false;
    const load = ({ token }: { token: string }) =>
      drive({ connections, inFlight: 2, next: () => (over ? null : { "x-session-id": token }) });
    const [spending, waiting] = [load(spender), load(exhausted)];
    for (const maxTokens of [12, 8, 14]) await sluice().changePolicy(policyWith(maxTokens));
    over = true;

    const [spent, waited] = [await spending, await waiting];
    expect([...spent.failures, ...waited.failures]).toEqual([]);
    expect(Object.keys(spent.statuses)).toEqual(["200"]);
    expect(Object.keys(waited.statuses)).toEqual(["429"]);
    for (const session of connections) session.close();
  });
});

describe("a change of the policy", () => {
  it("a policy change keeps each session's level, clamped to a smaller capacity", async () => {
    await sluice().changePolicy(policyWith(10));
    const little = await sluice().api.issue("small");
    const much = await sluice().api.issue("small");
    await sluice().statuses(little.token, 7);
    await sluice().statuses(much.token, 1);

    await sluice().changePolicy(policyWith(5));
    expect((await sluice().send({ token: little.token })).headers.ratelimit).toBe('"small";r=2');
    expect((await sluice().send({ token: much.token })).headers.ratelimit).toBe('"small";r=4');

    await sluice().changePolicy(policyWith(20));
    expect(await sluice().statuses(little.token, 3)).toEqual([200, 200, 429]);
    expect(await sluice().statuses(much.token, 5)).toEqual([200, 200, 200, 200, 429]);
  });

  it("a change of the form of Envoy's answers reaches every worker", async () => {
    await sluice().changePolicy(policyWith(10, { response: { body: "problem" } }));
    for (let i = 0; i < 10; i++) {
      expect((await sluice().send()).headers["content-type"]).toBe("application/problem+json");
    }
    await sluice().changePolicy(policyWith(10));
  });
});

describe("a policy that is rejected", () => {
  it("a rejected policy lists every violation with its line, and the last one goes on", async () => {
    const { token } = await sluice().api.issue("small");
    const generation = await sluice().generation();
    const rejection = await saveRejected(
      [
        "version: 1",
        "plans:",
        "  - id: 0",
        "    name: small",
        "    maxTokens: 0",
        "    tokenRefillRate: 1",
        "no: 1",
      ].join("\n"),
    );
    expect(rejection.generation).toBe(generation);
    expect(rejection.violations?.map(({ path, line }) => `${path}:${line}`)).toEqual(
      expect.arrayContaining(["plans[0].maxTokens:5", "no:7"]),
    );
    expect((await sluice().send({ token })).headers["ratelimit-policy"]).toBe('"small";q=10');
    expect(await sluice().generation()).toBe(generation);
  });

  it("a policy is rejected while sessions have a plan that it lacks", async () => {
    const { token } = await sluice().api.issue("large");
    const rejection = await saveRejected(JSON.stringify(policyOf([small(10)])));
    expect(rejection.violations?.[0]?.message).toMatch(
      /^plan "large" \(id 1\) cannot go while \d+ live sessions? ha(s|ve) it/,
    );
    expect(await sluice().statuses(token, 1)).toEqual([200]);
  });

  it("a valid policy is accepted after a rejected one", async () => {
    await saveRejected("version: 2");
    await sluice().changePolicy(policyWith(11));
    const { token } = await sluice().api.issue("small");
    expect((await sluice().send({ token })).headers["ratelimit-policy"]).toBe('"small";q=11');
  });
});

/** What the session has left after one more request. */
async function tokensLeft(token: string): Promise<number> {
  const { ratelimit } = (await sluice().send({ token })).headers;
  return Number(/;r=(\d+)/.exec(String(ratelimit))?.[1]);
}

describe("another build of the filter, in the file that Envoy follows", () => {
  it("a build that Envoy cannot load is rejected, and the old one goes on", async () => {
    const { token } = await sluice().api.issue("small");
    expect(await sluice().statuses(token, 4)).toEqual([200, 200, 200, 200]);
    const broken = join(sluice().folder, "broken.wasm");
    writeFileSync(broken, "this is no filter");
    sluice().replaceFilter(broken);
    await until(async () => {
      expect(await sluice().envoyAdmin.stat(REJECTED_FILTERS)).toBeGreaterThan(0);
    });
    const answer = await sluice().send({ token });
    expect(answer.headers["ratelimit-policy"]).toBe('"small";q=11');
    expect(answer.headers.ratelimit).toBe('"small";r=6');
  });

  it("a new build takes over under load without a failed request or a lost level", async () => {
    const other = join(sluice().folder, "sluice-other.wasm");
    copyFileSync(join(projectRoot, "build/sluice.debug.wasm"), other);
    const connections = await sluice().connect(4);
    const spender = await sluice().api.issue("large");
    const exhausted = await sluice().api.issue("small");
    await sluice().statuses(exhausted.token, 11);
    const before = await tokensLeft(spender.token);

    let over = false;
    const load = drive({ connections, inFlight: 2, next: () => (over ? null : { "x-session-id": spender.token }) });
    const taken = await sluice().envoyAdmin.stat(TAKEN_FILTERS);
    sluice().replaceFilter(other);
    await until(async () => {
      expect(await sluice().envoyAdmin.stat(TAKEN_FILTERS)).toBeGreaterThan(taken);
    });
    // New code takes policies like the old: it has the one in force, and follows the next. The VMs of the old code count
    // as behind until they have been silent for the window, so who asks is answered here, not the control plane.
    sluice().writePolicy(policyWith(15));
    await until(async () => {
      for (let i = 0; i < 8; i++) {
        expect((await sluice().send({ token: exhausted.token })).headers["ratelimit-policy"]).toBe('"small";q=15');
      }
    });
    over = true;

    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(["200"]);
    const spentByAsking = 1;
    expect(before - (await tokensLeft(spender.token))).toBe((statuses[200] ?? 0) + spentByAsking);
    expect(await sluice().statuses(exhausted.token, 2)).toEqual([429, 429]);
    expect(await sluice().envoyAdmin.text("/config_dump?resource=ecds_filters")).toContain(other);
    for (const session of connections) session.close();
  });
});
