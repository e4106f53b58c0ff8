// npm start and a policy that is rejected: its terminal says so once, and the control plane's log has each event once.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { ready, tokenIn, useNpmStart } from "../harness/npm-start.js";
import type { Started } from "../harness/npm-start.js";

const npm = useNpmStart();

const GOOD = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const OTHER = GOOD.replace("100", "200");
/** Of a tab follow seven more complaints of a parser that goes on after it. */
const WITH_TAB =
  "version: 1\nplans:\n  - id: 0\n\tname: starter\n    maxTokens: 100\n    tokenRefillRate: 10\n    scope: edge\n";

const SETTLING = `${GOOD}routes:\n  - { match: { prefix: /chat }, cost: 60, settle: { header: x-cost, onMissing: refund } }\n`;

const policyFile = (): string => join(npm().dataDir, "policy.yaml");
/** Lines that begin so. */
const count = (text: string, line: string): number => text.split("\n").filter((one) => one.includes(line)).length;

const seen = (one: Started, text: string): Promise<void> =>
  until(() => {
    expect(one.stdout).toContain(text);
  });

it("npm start shows a tab in the policy it starts with as one violation, once", async () => {
  writeFileSync(policyFile(), WITH_TAB);
  const { code, stderr } = await npm().start({ SLUICE_POLICY: policyFile() }).ended;
  expect(code).toBe(1);
  expect(stderr).toBe(
    `sluice: The policy cannot be used:\n  ${policyFile()}:4:1 not accepted as YAML: Tabs are not allowed as indentation\n`,
  );
});

it("a bad policy that is saved shows once in npm start's terminal, and once in the log", async () => {
  writeFileSync(policyFile(), GOOD);
  const one = npm().start({ SLUICE_POLICY: policyFile() });
  await ready(one);
  expect(one.stdout).not.toContain("policy accepted");
  writeFileSync(policyFile(), WITH_TAB);
  const violation = `${policyFile()}:4:1: not accepted as YAML: Tabs are not allowed as indentation`;
  await seen(one, `sluice: policy rejected, generation 1 stays in force\n  ${violation}\n`);
  writeFileSync(policyFile(), OTHER);
  await seen(one, "sluice: policy accepted\n");
  expect(count(one.stdout, "policy rejected")).toBe(1);
  expect(count(one.stdout, violation)).toBe(1);
  expect(count(one.stdout, "policy accepted")).toBe(1);

  const log = readFileSync(join(npm().dataDir, "logs/control-plane.log"), "utf8");
  expect(count(log, "policy-rejected")).toBe(1);
  // That of the start is another one.
  expect(count(log, "policy-accepted")).toBe(2);
  expect(one.stderr).toBe("");
});

it("npm start with a policy that settles runs the filter that can", async () => {
  writeFileSync(policyFile(), SETTLING);
  const token = tokenIn(await ready(npm().start({ SLUICE_POLICY: policyFile() })));
  // The demo service names no cost: what was reserved comes back, so that the second of 60 is not denied.
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(`${npm().url}chat`, { headers: { "X-Session-ID": token } });
    expect([answer.status, await answer.json()]).toMatchObject([200, { service: "demo" }]);
  }
});

it("a policy that settles is rejected by a filter that cannot, and the old one serves", async () => {
  writeFileSync(policyFile(), GOOD);
  const token = tokenIn(await ready(npm().start({ SLUICE_POLICY: policyFile() })));
  writeFileSync(policyFile(), SETTLING);
  const said =
    "routes[0].settle: sluice.wasm has no callback for what a response says, expected null, or sluice-settle";
  await until(() => {
    expect(readFileSync(join(npm().dataDir, "logs/envoy.log"), "utf8")).toContain(said);
  });
  for (let i = 0; i < 2; i++) {
    expect((await fetch(`${npm().url}chat`, { headers: { "X-Session-ID": token } })).status).toBe(200);
  }
});
