// The control plane's image by itself, as Kubernetes runs it: a root file system that cannot be written, no capability, a number for
// a user, and a volume for the store.
import { afterEach, expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { runCommand } from "../../scripts/run-command.js";
import { projectRoot } from "../../scripts/project-root.js";
import { BUILD_AND_START_MS, useCompose } from "./compose-project.js";

const IMAGE = "sluice:local";
const NAME = `sluice-image-test-${process.pid}`;
const VOLUME = `${NAME}-store`;
const SECRETS = [
  "SLUICE_SECRET=c2x1aWNlLWltYWdlLXRlc3Qtc2VjcmV0LTMyLWJ5dGVzIQ==",
  "SLUICE_ADMIN_TOKEN=image-test-admin-token",
];
const LIMITS = [
  "--read-only",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  `--volume=${VOLUME}:/var/lib/sluice`,
];

// It builds the image.
await useCompose();

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, output } = await runCommand("docker", args, { env: process.env, cwd: projectRoot });
  expect(code, `docker ${args.join(" ")}\n${output}`).toBe(0);
  return stdout;
}

const removeAll = async (): Promise<void> => {
  for (const args of [
    ["rm", "--force", NAME],
    ["volume", "rm", "--force", VOLUME],
  ])
    await runCommand("docker", args, { env: process.env });
};

afterEach(removeAll, BUILD_AND_START_MS);

async function start(): Promise<void> {
  const env = [...SECRETS, "SLUICE_URL=http://127.0.0.1:8080"].map((one) => `--env=${one}`);
  await docker("run", "--detach", "--name", NAME, ...LIMITS, ...env, IMAGE);
  await until(async () => {
    expect(await docker("inspect", "--format", "{{.State.Health.Status}}", NAME)).toBe("healthy\n");
  });
}

const sluice = (...args: string[]): Promise<string> => docker("exec", NAME, "sluice", ...args);
const once = (...line: string[]): Promise<string> => docker("run", "--rm", ...LIMITS, IMAGE, ...line);

it(
  "the image backs up and restores with a root file system that cannot be written",
  async () => {
    await start();
    const { session } = JSON.parse(await sluice("session", "create", "--user", "u1", "--org", "o1", "--json")) as {
      session: { id: string };
    };
    await sluice("store", "backup", "/var/lib/sluice/one.mdb");
    await sluice("session", "revoke", session.id, "--json");
    await docker("stop", NAME);
    expect(await docker("inspect", "--format", "{{.State.ExitCode}}", NAME)).toBe("0\n");
    await docker("rm", NAME);

    await once("sluice", "store", "restore", "/var/lib/sluice/one.mdb", "--force");
    await start();
    expect(JSON.parse(await sluice("session", "show", session.id, "--json"))).toMatchObject({
      session: { id: session.id, state: "live" },
    });
  },
  BUILD_AND_START_MS,
);

it(
  "the image says what it is, runs as a number, and lists the packages that it has",
  async () => {
    const [{ Config: config } = { Config: { User: "", Labels: {} } }] = JSON.parse(
      await docker("image", "inspect", IMAGE),
    ) as { Config: { User: string; Labels: Record<string, string> } }[];
    expect(config.User).toBe("1000:1000");
    expect(config.Labels).toMatchObject({ "org.opencontainers.image.licenses": "Apache-2.0" });

    const bill = JSON.parse(await once("cat", "/sluice/sbom.cdx.json")) as {
      components: { name: string; version: string }[];
    };
    const find = "find node_modules -name package.json -path '*node_modules/*' -exec dirname {} +";
    const folders = (await once("sh", "-c", find)).trim().split("\n");
    // A package is a folder of node_modules, or of a scope in it; a package.json deeper within one is none.
    const isPackage = (path: string): boolean => /(^|\/)node_modules\/(@[^/]+\/)?[^@/][^/]*$/.test(path);
    const there = folders.filter(isPackage).map((path) => path.replace(/^.*node_modules\//, ""));
    const named = new Set(bill.components.map(({ name }) => name));
    expect(there.length).toBeGreaterThan(30);
    expect([...new Set(there)].filter((name) => !named.has(name))).toEqual([]);
    expect([...named].filter((name) => !there.includes(name))).toEqual([]);
  },
  BUILD_AND_START_MS,
);
