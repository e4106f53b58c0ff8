// The filter in a host that others wrote (test/foreign): what it relies on is Proxy-Wasm, and not Envoy alone. The file
// that Envoy gets runs there as it is.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TOKEN_BYTES } from "../../assembly/contract.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { notRun } from "../../scripts/test/not-run.js";
import { Random } from "../host/harness/host/random.js";
import { liveAnswer, plan, policy, SECRET, settings, watchAnswer } from "../host/harness/scenes/documents.js";
import { TokenMint, withBitFlipped } from "../host/harness/scenes/tokens.js";

const BUILD_AND_RUN_MS = 600_000;

/** The sentence of each test of the module. */
const TESTS: readonly [sentence: string, goTest: string][] = [
  ["a foreign host's log says why bad settings are rejected", "TestRejectsBadSettings"],
  ["a foreign host without a node.id is told what is to be set", "TestRefusesToServeWithoutANodeID"],
  ["a foreign host's session is let through, with limit headers", "TestAdmitsASessionThatTheControlPlaneKnows"],
  ["a foreign host's request without a genuine token is denied", "TestDeniesWithoutAGenuineToken"],
  ["a foreign host's session is limited, and told when to come back", "TestLimitsAndSaysWhenToComeBack"],
  ["a foreign host that numbers metrics from 0 has the right counts", "TestCountsUnderNumbersThatBeginWithZero"],
  ["a foreign host's tick brings a revocation", "TestHearsOfARevocationOnATick"],
];

/** Of what is downloaded and built nothing leaves the project. */
const cache = join(projectRoot, ".cache/go");
const env = {
  ...process.env,
  GOPATH: cache,
  GOMODCACHE: join(cache, "mod"),
  GOCACHE: join(cache, "build"),
  GOFLAGS: "-mod=readonly -modcacherw",
  GOTOOLCHAIN: "local",
};
const cwd = join(projectRoot, "test/foreign");
const folder = mkdtempSync(join(tmpdir(), "sluice-foreign-"));
const lacking = await reasonForNoGo();
let output = "";

beforeAll(async () => {
  if (lacking !== undefined) return;
  const scene = join(folder, "scene.json");
  writeFileSync(scene, JSON.stringify(sceneOf(Date.now())));
  ({ output } = await runCommand("go", ["test", "-count=1", "-v", "."], {
    env: { ...env, SLUICE_TEST_SCENE: scene },
    cwd,
  }));
}, BUILD_AND_RUN_MS);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

for (const [sentence, goTest] of TESTS) {
  it(sentence, (context) => {
    if (lacking !== undefined) notRun(context, lacking);
    expect(output).toContain(`--- PASS: ${goTest} (`);
  });
}

/** A session with two tokens, one of which comes back every two seconds. */
function sceneOf(atMs: number): object {
  const mint = new TokenMint(SECRET, new Random(1));
  const session = mint.mint(atMs);
  const plans = [plan({ maxTokens: 2, tokenRefillRate: 0.5 })];
  return {
    wasm: join(projectRoot, "build/sluice.wasm"),
    secret: SECRET,
    settings: settings(policy({ plans })),
    badSettings: settings(policy({ plans: [] })),
    atMs,
    token: session.token,
    sessionId: session.id,
    forged: withBitFlipped(mint.mint(atMs).token, TOKEN_BYTES * 8 - 1),
    liveAnswer: liveAnswer({ tokens: 2 }),
    revokedAnswer: watchAnswer({ revoked: [session.id] }),
  };
}

async function reasonForNoGo(): Promise<string | undefined> {
  if ((await runCommand("go", ["version"], { env })).code !== 0) return "no Go toolchain on PATH";
  const { code, output: said } = await runCommand("go", ["mod", "download"], { env, cwd });
  return code === 0 ? undefined : `its Go modules cannot be had (${said.trim().split("\n").at(-1) ?? ""})`;
}
