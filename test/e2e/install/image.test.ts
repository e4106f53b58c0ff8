// The image without an engine: its last stage laid out in a folder, and started by its own entry point.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { freePorts } from "../../../scripts/start/ports.js";

const SECRET = "c2x1aWNlLWltYWdlLXRlc3Qtc2VjcmV0LTMyLWJ5dGVzIQ==";
const ADMIN_TOKEN = "image-test-admin-token";
const authorization = `Bearer ${ADMIN_TOKEN}`;

interface Image {
  /** In place of `/`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}

/** What the last stage of the Dockerfile says, done in a folder. A line of another form fails the test. */
function layOut(root: string): Image {
  const [, stage = ""] = readFileSync(join(projectRoot, "Dockerfile"), "utf8").split(/^FROM node:\S+$/m);
  const env: Record<string, string> = {};
  let command: readonly string[] = [];
  let healthCheck: readonly string[] = [];
  const workdir = join(root, "sluice");
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  for (const line of stage.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const [word = ""] = line.split(" ");
    const rest = line.slice(word.length + 1);
    if (word === "ENV") for (const [, name = "", value = ""] of rest.matchAll(/(\w+)=(\S+)/g)) env[name] = value;
    else if (word === "COPY") copy(rest, workdir);
    else if (word === "CMD") command = JSON.parse(rest) as string[];
    else if (word === "HEALTHCHECK") healthCheck = JSON.parse(rest.slice(rest.indexOf("["))) as string[];
    else if (rest.startsWith("ln -s ")) link(rest.split(" "), root);
    else if (!rest.startsWith("install -d ") && !["WORKDIR", "USER", "EXPOSE", "LABEL"].includes(word))
      throw new Error(line);
  }
  return { root, env, command, healthCheck };
}

function copy(rest: string, workdir: string): void {
  const paths = rest.split(" ").filter((one) => !one.startsWith("--"));
  const target = paths.pop() ?? "";
  for (const path of paths) {
    const name = path.replace(/^\/sluice\//, "");
    const to = join(workdir, target.endsWith("/") ? name : target);
    mkdirSync(dirname(to), { recursive: true });
    // The build is copied, not linked: what it imports is looked for beside where it really is.
    if (name === "node_modules") linkProductionPackages(to);
    else cpSync(join(projectRoot, name), to, { recursive: true });
  }
}

/** What `npm prune --omit=dev` leaves: links to the packages that are here. */
function linkProductionPackages(to: string): void {
  const listed = spawnSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], { cwd: projectRoot, encoding: "utf8" });
  expect(listed).toMatchObject({ status: 0 });
  for (const path of listed.stdout.trim().split("\n")) {
    // The first line is the project. A package within another is found from there.
    const [, name, ...within] = path.split("/node_modules/");
    if (name === undefined || within.length > 0) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    symlinkSync(path, join(to, name));
  }
}

function link([, , from = "", to = ""]: readonly string[], root: string): void {
  expect(existsSync(join(root, from)), from).toBe(true);
  symlinkSync(join(root, from), join(root, to));
}

let image: Image;

beforeAll(() => {
  const sbom = spawnSync(process.execPath, [join(projectRoot, "build/js/scripts/image/sbom.js")], { encoding: "utf8" });
  expect(sbom).toMatchObject({ status: 0 });
  image = layOut(mkdtempSync(join(tmpdir(), "sluice-image-")));
  return () => {
    rmSync(image.root, { recursive: true });
  };
});

/** Of every process in the container. What a user gives with `--env` comes last. */
function environment(ports: { readonly http: number; readonly status: number }): Record<string, string> {
  const data = join(image.root, image.env.SLUICE_DATA_DIR ?? "");
  return {
    ...image.env,
    PATH: `${join(image.root, "usr/local/bin")}:${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    ...{ SLUICE_DATA_DIR: data, SLUICE_SECRET: SECRET, SLUICE_ADMIN_TOKEN: ADMIN_TOKEN },
    ...{ SLUICE_HTTP_PORT: String(ports.http), SLUICE_STATUS_PORT: String(ports.status) },
    SLUICE_URL: `http://127.0.0.1:${ports.http}`,
  };
}

/** As `docker run` of the image starts it, until its health check passes. */
async function start(env: Record<string, string>): Promise<() => Promise<void>> {
  const [program = "", ...args] = image.command;
  const plane = spawn(program, args, { cwd: join(image.root, "sluice"), env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(plane, "exit");
  onTestFinished(() => void plane.kill("SIGKILL"));
  await until(() => {
    expect(healthCheck(env)).toEqual({ code: 0, said: "" });
  });
  return async () => {
    plane.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  };
}

function healthCheck(env: Record<string, string>): { code: number | null; said: string } {
  const [program = "", ...args] = image.healthCheck.filter((word) => word !== "CMD");
  const ran = spawnSync(program, args, { cwd: join(image.root, "sluice"), env, encoding: "utf8" });
  return { code: ran.status, said: ran.stderr };
}

/** As `docker exec` runs it. Fails unless it ends with 0. */
function exec(env: Record<string, string>, ...line: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(line[0] ?? "", line.slice(1), {
    env,
    cwd: image.root,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

it("the image has the packages that run, and none that only builds", () => {
  const imported = (name: string) => {
    const args = ["--input-type=module", "--eval", `import ${JSON.stringify(name)}`];
    return spawnSync(process.execPath, args, { cwd: join(image.root, "sluice"), encoding: "utf8" });
  };
  expect(imported("lmdb")).toMatchObject({ status: 0, stderr: "" });
  expect(imported("typescript").stderr).toContain("ERR_MODULE_NOT_FOUND");
});

it("the image's bill of materials names the packages that are in it", () => {
  const { components } = JSON.parse(readFileSync(join(image.root, "sluice/sbom.cdx.json"), "utf8")) as {
    components: { name: string }[];
  };
  const named = new Set(components.map(({ name }) => name));
  const there = readdirSync(join(image.root, "sluice/node_modules")).flatMap((name) =>
    name.startsWith("@")
      ? readdirSync(join(image.root, "sluice/node_modules", name)).map((one) => `${name}/${one}`)
      : [name],
  );
  expect(there.length).toBeGreaterThan(30);
  expect(there.filter((name) => !named.has(name))).toEqual([]);
});

it("a container listens everywhere, is healthy, has sluice, and restores what it backed up", async () => {
  const [http = 0, status = 0] = await freePorts(2);
  const env = environment({ http, status });
  expect(healthCheck(env)).toEqual({ code: 1, said: expect.stringContaining("/readyz does not answer") as string });
  const stop = await start(env);
  // Another address of this machine than the one that is the default elsewhere.
  expect((await fetch(`http://127.0.0.2:${http}/v1/sessions`, { headers: { authorization } })).status).toBe(200);
  expect((await fetch(`http://127.0.0.2:${status}/healthz`)).status).toBe(200);

  const created = exec(env, "sluice", "session", "create", "--user", "u1", "--org", "o1", "--json");
  const { session } = JSON.parse(created) as { session: { id: string } };
  const backup = join(image.root, "one.mdb");
  exec(env, "sluice", "store", "backup", backup);
  exec(env, "sluice", "session", "revoke", session.id, "--json");
  await stop();

  exec(env, "sluice", "store", "restore", backup, "--force");
  const again = await start(env);
  expect(JSON.parse(exec(env, "sluice", "session", "show", session.id, "--json"))).toMatchObject({
    session: { id: session.id, state: "live" },
  });
  await again();
});
