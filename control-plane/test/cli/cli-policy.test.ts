// The command line: a policy or edge settings, validated on the operator's machine.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { jsonLines, sluice } from "../support/cli.js";

const PLANS = "plans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";
const GOOD = `version: 1\n${PLANS}`;
const BAD = GOOD.replace("maxTokens: 100", "maxTokens: 0");
const CARRYING = `version: 1\npolicy:\n${GOOD.replace(/^(?=.)/gm, "  ")}`;
const MISPLACED = `version: 1\n${PLANS}table: { capacity: 2048 }\ncontrolPlane: { cluster: sluice }\ngeneration: 7\n`;
/** Of GOOD. Edges name it by the first 8 bytes of SHA-256 over this. */
const CANONICAL =
  '{"version":1,"token":{"from":[{"header":"x-session-id"}],"forward":true,"identity":false},"annotate":[],' +
  '"plans":[{"id":0,"name":"starter","maxTokens":100,"tokenRefillRate":10,"refill":null,"limits":[],' +
  '"maxAge":1800000,"lifetime":86400000,"tokenBudget":null,"scope":"edge","maxSessionsPerUser":null,' +
  '"onMaxSessions":"refuse","enforcement":null,"onUnreachable":null}],"routes":[],"enforcement":"enforce","onMiss":"acquire","onUnreachable":"trust",' +
  '"onContention":"deny","onTableFull":"deny","controlPlane":{"acquireTimeout":250,"reportInterval":5000},' +
  '"sessions":{"cleanupInterval":60000,"openStreams":"close"},' +
  '"response":{"headers":"draft","body":"json","upstreamHeaders":"replace","limits":"tightest"}}';
const HASH = createHash("sha256").update(CANONICAL).digest("hex").slice(0, 16);
/** No control plane, no token. */
const env = { SLUICE_ADMIN_TOKEN: "", SLUICE_URL: "http://127.0.0.1:1" };

const check = (text: string, options = ""): ReturnType<typeof sluice> =>
  sluice(`policy check p.yaml ${options}`, { env, files: { "p.yaml": text } });

describe("sluice policy check takes a policy", () => {
  it("policy check prints a policy's plans and hash, and asks no control plane", async () => {
    expect(await check(GOOD)).toMatchObject({ code: 0, out: `p.yaml: a policy, 1 plan, hash ${HASH}\n`, err: "" });
    expect(jsonLines(await check(GOOD, "--json"))).toMatchObject([
      { accepted: true, kind: "policy", hash: HASH, policy: { plans: [{ name: "starter" }] } },
    ]);
  });

  it("policy check names each violation with file, line and column, with exit code 1", async () => {
    const ran = await check(BAD);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^p\.yaml:3:\d+: plans\[0\]\.maxTokens: /);
    expect(ran.err).toBe("sluice: POLICY_REJECTED: p.yaml, taken for a policy, has 1 violation\n");
    const json = await check(BAD, "--json");
    expect(json.code).toBe(1);
    expect(jsonLines(json)).toMatchObject([
      { accepted: false, kind: "policy", violations: [{ path: "plans[0].maxTokens", line: 3 }] },
    ]);
  });

  it("policy check says of fields of the edge settings where they belong", async () => {
    const ran = await check(MISPLACED);
    expect(ran.out).toBe(
      "p.yaml:4:1: table: belongs to the edge settings: the plugin configuration in Envoy\n" +
        "p.yaml:5:26: controlPlane.cluster: belongs to the edge settings: the plugin configuration in Envoy\n" +
        "p.yaml:6:13: generation: the control plane numbers policies, expected no such field\n",
    );
    expect(ran).toMatchObject({
      code: 1,
      err: "sluice: POLICY_REJECTED: p.yaml, taken for a policy, has 3 violations\n",
    });
  });

  it("policy check reads the standard input where the file is -", async () => {
    const ran = await sluice("policy check -", { env, input: GOOD });
    expect(ran).toMatchObject({ code: 0, out: `<stdin>: a policy, 1 plan, hash ${HASH}\n`, err: "" });
    expect((await sluice("policy check -", { env, input: BAD })).out).toMatch(/^<stdin>:3:\d+: plans\[0\]/);
  });
});

describe("sluice policy check takes edge settings", () => {
  const NAMES = "cluster sluice_control_plane, table default of 65536 records";

  it.each([
    [`follow the control plane, ${NAMES}, policy of their own: none`, "version: 1\n"],
    [`follow the control plane, ${NAMES}, policy of their own: 1 plan, hash ${HASH}`, CARRYING],
    [
      `do not follow the control plane, ${NAMES}, policy of their own: 1 plan, hash ${HASH}`,
      `${CARRYING}follow: false\n`,
    ],
  ])("policy check says of edge settings: %s", async (said, text) => {
    expect(await check(text)).toMatchObject({ code: 0, out: `p.yaml: edge settings, ${said}\n`, err: "" });
  });

  it("policy check prints edge settings with every default as JSON, with their policy's hash", async () => {
    const table = { name: "default", capacity: 65536 };
    expect(jsonLines(await check("version: 1\n", "--json"))).toMatchObject([
      { accepted: true, kind: "settings", hash: null, settings: { table, follow: true } },
    ]);
    expect(jsonLines(await check(CARRYING, "--json"))).toMatchObject([{ kind: "settings", hash: HASH }]);
  });

  it("policy check names violations of a policy within settings by their path from the top", async () => {
    const ran = await check(
      `${CARRYING.replace("maxTokens: 100", "maxTokens: 0")}controlPlane: { acquireTimeout: 9 }\n`,
    );
    expect(ran.out).toBe(
      "p.yaml:5:42: policy.plans[0].maxTokens: expected an integer from 1 to 9000000, got 0\n" +
        "p.yaml:6:33: controlPlane.acquireTimeout: belongs to the policy: policy.yaml of the control plane, or policy.controlPlane.acquireTimeout here\n",
    );
    expect(ran).toMatchObject({
      code: 1,
      err: "sluice: SETTINGS_REJECTED: p.yaml, taken for edge settings, has 2 violations\n",
    });
  });
});

it("policy check does not say what a text is that is no YAML", async () => {
  const ran = await check("a: [");
  expect(ran).toMatchObject({ code: 1, err: "sluice: POLICY_REJECTED: p.yaml has 1 violation\n" });
  expect(jsonLines(await check("a: [", "--json"))).toMatchObject([{ accepted: false, kind: null }]);
});

it("policy check of a file that cannot be read is exit code 2", async () => {
  const ran = await sluice("policy check missing.yaml", { env });
  expect(ran).toMatchObject({ code: 2, out: "", err: "sluice: missing.yaml cannot be read: ENOENT\n" });
});

describe("docs/cli.md", () => {
  const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");

  it("docs/cli.md begins with the policy of its examples, which is accepted", async () => {
    const policy = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
    const ran = await check(policy, "--json");
    expect(jsonLines(ran)).toMatchObject([{ policy: { plans: [{ name: "starter" }, { name: "metered" }] } }]);
  });

  const shown = [...page.matchAll(/^\$ cat (\S+)\n(.*?)^\$ \.\/sluice policy check \1\n(.*?)(?=^```$|^\$ )/gms)];

  it.each(shown.map(([, file = "", text = "", said = ""]) => ({ file, text, said })))(
    "docs/cli.md shows what is printed for $file",
    async ({ file, text, said }) => {
      const ran = await sluice(`policy check ${file}`, { env, files: { [file]: text } });
      expect(ran.out + ran.err).toBe(said);
    },
  );

  it("docs/cli.md shows a good policy, an invalid one and edge settings", () => {
    expect(shown.length).toBe(3);
  });
});
