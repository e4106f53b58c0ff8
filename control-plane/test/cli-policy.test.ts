// The command line: a policy judged on the operator's machine.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { jsonLines, sluice } from "./support/cli.js";

const GOOD = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const BAD = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 0, tokenRefillRate: 10 }\n";
/** No control plane, no token. */
const env = { SLUICE_ADMIN_TOKEN: "", SLUICE_URL: "http://127.0.0.1:1" };

it("accepts a policy without asking any control plane", async () => {
  const ran = await sluice("policy check p.yaml", { env, files: { "p.yaml": GOOD } });
  expect(ran).toMatchObject({ code: 0, out: "p.yaml is accepted; plans: starter\n", err: "" });
  const json = await sluice("policy check p.yaml --json", { env, files: { "p.yaml": GOOD } });
  expect(jsonLines(json)).toMatchObject([{ accepted: true, policy: { plans: [{ name: "starter" }] } }]);
});

it("names each fault with its file, line and column, and ends with exit code 1", async () => {
  const ran = await sluice("policy check p.yaml", { env, files: { "p.yaml": BAD } });
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(/^p\.yaml:3:\d+: plans\[0\]\.maxTokens: /);
  expect(ran.err).toBe("sluice: POLICY_REFUSED: p.yaml has 1 fault\n");
  const json = await sluice("policy check p.yaml --json", { env, files: { "p.yaml": BAD } });
  expect(json.code).toBe(1);
  expect(jsonLines(json)).toMatchObject([{ accepted: false, faults: [{ path: "plans[0].maxTokens", line: 3 }] }]);
});

it("says that a file cannot be read, with exit code 2", async () => {
  const ran = await sluice("policy check missing.yaml", { env });
  expect(ran).toMatchObject({ code: 2, out: "", err: "sluice: missing.yaml cannot be read: ENOENT\n" });
});

describe("docs/cli.md", () => {
  const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

  it("begins with the policy of its examples, which is accepted and has their plans", async () => {
    const policy = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
    const ran = await sluice("policy check p.yaml", { env, files: { "p.yaml": policy } });
    expect(ran).toMatchObject({ code: 0, out: "p.yaml is accepted; plans: starter, metered\n" });
  });

  it("shows a faulty policy, and what is said of it", async () => {
    const [, faulty = "", said] =
      /^\$ cat draft\.yaml\n(.*?)^\$ npx sluice policy check draft\.yaml\n(.*?)^```$/ms.exec(page) ?? [];
    const ran = await sluice("policy check draft.yaml", { env, files: { "draft.yaml": faulty } });
    expect(ran.out + ran.err).toBe(said);
  });
});
