// The filter's image through a real registry, and back by a client of others.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authorityIn } from "../../control-plane/test/support/certificates.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand, type Run } from "../../scripts/run-command.js";
import { findImageTool } from "../../scripts/test/get-registry.js";
import { notRun } from "../../scripts/test/not-run.js";
import { breakingWay, tokenService } from "./images/faults.js";
import { startRegistry, type Registry, type RegistryWanted } from "./images/registry-process.js";

const BUILDS = ["sluice", "sluice-lean", "sluice-settle"];
const PASSWORD = "image-test-password";
/** Of that password, by bcrypt: the registry takes no other. */
const HTPASSWD = "me:$2b$04$KGGpCzS99KsjGU29V87BVeGXACpDtlbEQMSFKspe2WsKjqXhB1SJK\n";
const DIGEST = /^sha256:[\da-f]{64}$/;

const [server, skopeo] = await Promise.all([findImageTool("docker-registry"), findImageTool("skopeo")]);

let folder: string;

beforeEach((context) => {
  for (const found of [server, skopeo]) if ("reason" in found) notRun(context, found.reason);
  folder = mkdtempSync(join(tmpdir(), "sluice-images-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function registry(wanted: Partial<RegistryWanted> = {}): Promise<Registry> {
  if ("reason" in server) throw new Error(server.reason);
  return startRegistry({ folder, program: server.program, ...wanted });
}

const fileOf = (build: string): string => join(projectRoot, "build", `${build}.wasm`);

/** As an operator calls it, who has logged in with these words, or nowhere. */
function image(args: readonly string[], login: Readonly<Record<string, string>> = {}, env = {}): Promise<Run> {
  const own = mkdtempSync(join(folder, "docker-"));
  const auths = Object.entries(login).map(([host, words]) => [host, { auth: Buffer.from(words).toString("base64") }]);
  writeFileSync(join(own, "config.json"), JSON.stringify({ auths: Object.fromEntries(auths) as object }));
  const program = join(projectRoot, "build/js/scripts/image/image.js");
  const around = { ...process.env, DOCKER_CONFIG: own, ...env };
  return runCommand(process.execPath, [program, ...args, "--revision", "none"], { env: around, cwd: folder });
}

/** The digest that the push printed. */
async function pushed(ref: string, build = "sluice", ...options: string[]): Promise<string> {
  const { code, stdout, output } = await image(["push", ref, "--filter", fileOf(build), ...options]);
  expect(code, output).toBe(0);
  const [, named, digest = ""] = /^(.*)@(.*)\n$/.exec(stdout) ?? [];
  expect([named, digest]).toEqual([ref, expect.stringMatching(DIGEST)]);
  return digest;
}

async function skopeoSays(...args: string[]): Promise<string> {
  if ("reason" in skopeo) throw new Error(skopeo.reason);
  const { binary, env } = skopeo.program;
  const { code, stdout, output } = await runCommand(binary, args, { env: { ...process.env, ...env } });
  expect(code, output).toBe(0);
  return stdout;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** The file that is in the image's one layer, as skopeo fetched it. */
async function pulled(ref: string): Promise<Buffer> {
  const into = mkdtempSync(join(folder, "pulled-"));
  await skopeoSays("--insecure-policy", "copy", "--src-tls-verify=false", `docker://${ref}`, `dir:${into}`);
  const { layers } = JSON.parse(readFileSync(join(into, "manifest.json"), "utf8")) as Manifest;
  expect(layers).toHaveLength(1);
  const blob = join(into, (layers[0]?.digest ?? "").replace("sha256:", ""));
  const args = ["--extract", "--gzip", "--to-stdout", "--file", blob, "plugin.wasm"];
  return execFileSync("tar", args, { maxBuffer: 10_000_000 });
}

/** Status of a tag, or of a digest. */
const statusOf = async (host: string, name: string, headers = {}): Promise<number> => {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  return (await fetch(`http://${host}/v2/sluice-filter/manifests/${name}`, { headers: { accept, ...headers } })).status;
};

it("each build that was pushed comes back by its digest, byte by byte", async () => {
  const { host } = await registry();
  const digests = new Set<string>();
  for (const build of BUILDS) {
    const digest = await pushed(`${host}/sluice-filter:${build}`, build);
    expect((await pulled(`${host}/sluice-filter@${digest}`)).equals(readFileSync(fileOf(build)))).toBe(true);
    const told = await skopeoSays("inspect", "--tls-verify=false", "--raw", `docker://${host}/sluice-filter:${build}`);
    const { annotations } = JSON.parse(told) as { annotations: object };
    expect(annotations).toMatchObject({ "org.opencontainers.image.title": build });
    digests.add(digest);
  }
  expect(digests.size).toBe(3);
});

it("two builds in two folders, pushed to two registries, have one digest", async () => {
  const digests: string[] = [];
  for (const name of ["one", "another"]) {
    // Another place, another time of change, another mode.
    const copy = join(folder, name, "sluice.wasm");
    mkdirSync(join(folder, name));
    cpSync(fileOf("sluice"), copy);
    const layout = join(folder, name, "layout");
    const { stdout } = await image(["build", "--filter", copy, "--out", layout]);
    digests.push(stdout.trim());
    const { host } = await registry();
    digests.push(/@(.*)/.exec((await image(["push", `${host}/sluice-filter:x`, "--filter", copy])).stdout)?.[1] ?? "");
    // And skopeo carries the folder there as it is.
    const target = `docker://${host}/sluice-filter:by-skopeo`;
    await skopeoSays("--insecure-policy", "copy", "--dest-tls-verify=false", `oci:${layout}`, target);
    const { headers } = await fetch(`http://${host}/v2/sluice-filter/manifests/by-skopeo`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    digests.push(headers.get("docker-content-digest") ?? "");
  }
  expect(digests).toHaveLength(6);
  expect(new Set(digests)).toEqual(new Set([expect.stringMatching(DIGEST)]));
});

it("an image that is there already is not sent again", async () => {
  const { host } = await registry();
  const ref = `${host}/sluice-filter:x`;
  const first = await image(["push", ref]);
  expect(first.stderr).toContain("2 of 2 blobs sent");
  const again = await image(["push", ref]);
  expect(again).toMatchObject({ code: 0, stdout: first.stdout });
  expect(again.stderr).toContain(`${ref} is this image already`);
  expect((await image(["push", `${host}/sluice-filter:y`])).stderr).toContain("0 of 2 blobs sent");
});

it("a tag that names another image is moved only where that is asked for", async () => {
  const { host } = await registry();
  const ref = `${host}/sluice-filter:0.1.0`;
  const before = await pushed(ref, "sluice");
  const refused = await image(["push", ref, "--filter", fileOf("sluice-lean")]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(`the tag 0.1.0 names another image, ${before}: expected no image or sha256:`);
  expect((await pulled(ref)).equals(readFileSync(fileOf("sluice")))).toBe(true);
  await pushed(ref, "sluice-lean", "--move");
  expect((await pulled(ref)).equals(readFileSync(fileOf("sluice-lean")))).toBe(true);
  expect((await pulled(`${host}/sluice-filter@${before}`)).equals(readFileSync(fileOf("sluice")))).toBe(true);
});

it("a registry over TLS is asked over TLS, and one with an unknown certificate is not trusted", async () => {
  const authority = authorityIn(folder, "authority");
  const { cert, key } = authority.issue("registry");
  const { host } = await registry({ tls: { certificate: cert, key } });
  const args = ["push", `${host}/sluice-filter:x`, "--https"];
  const distrusted = await image(args);
  expect(distrusted).toMatchObject({ code: 1, stdout: "" });
  expect(distrusted.stderr).toContain(`HEAD https://${host}/v2/sluice-filter/manifests/x: no answer, expected one (`);
  const trusted = await image(args, {}, { NODE_EXTRA_CA_CERTS: authority.cert });
  expect(trusted.stdout).toMatch(/@sha256:[\da-f]{64}\n$/);
});

describe("a registry that asks for credentials", () => {
  const basic = (words: string): object => ({ authorization: `Basic ${Buffer.from(words).toString("base64")}` });

  it("a push with wrong credentials or none is named as such, and leaves nothing behind", async () => {
    const path = join(folder, "htpasswd");
    writeFileSync(path, HTPASSWD);
    const { host, storage } = await registry({ auth: { htpasswd: { realm: "registry", path } } });
    const args = ["push", `${host}/sluice-filter:x`];
    const none = await image(args);
    expect(none.stderr).toMatch(new RegExp(`${host} asks for credentials: \\S+ has none in auths for ${host}\n$`));
    const wrong = await image(args, { [host]: "me:another-password" });
    expect(wrong.stderr).toMatch(new RegExp(`${host} rejects the credentials for it in \\S+config.json\n$`));
    for (const { code, output } of [none, wrong]) {
      expect(code).toBe(1);
      expect(output).not.toContain("another-password");
    }
    expect(readdirSync(storage)).toEqual([]);
    const right = await image(args, { [host]: `me:${PASSWORD}` });
    expect(right, right.output).toMatchObject({ code: 0 });
    expect(right.output).not.toContain(PASSWORD);
    expect(await statusOf(host, "x", basic(`me:${PASSWORD}`))).toBe(200);
  });

  it("a token service gives who has credentials a token for this image alone", async () => {
    const authority = authorityIn(folder, "authority");
    const tokens = await tokenService(`me:${PASSWORD}`, authority.issue("tokens"), "issuer");
    const token = { realm: tokens.realm, service: "images", issuer: "issuer", rootcertbundle: authority.cert };
    const { host, storage } = await registry({ auth: { token } });
    const args = ["push", `${host}/sluice-filter:x`];
    const wrong = await image(args, { [host]: "me:another-password" });
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain(`${tokens.realm} asks for credentials: it rejects those for ${host} in `);
    expect(readdirSync(storage)).toEqual([]);
    const right = await image(args, { [host]: `me:${PASSWORD}` });
    expect(right, right.output).toMatchObject({ code: 0 });
    expect(new Set(tokens.scopes)).toEqual(new Set(["repository:sluice-filter:pull,push"]));
  });
});

describe("a registry that is gone in the middle of a push", () => {
  it.each([
    ["the first blob", "PUT", /\/blobs\/uploads\//, "the tag x is as it was", "2 of 2"],
    ["the second blob", "HEAD", /\/blobs\/sha256:CONFIG$/, "the tag x is as it was", "1 of 2"],
    ["the manifest", "PUT", /\/manifests\/x$/, "no answer, expected one", "0 of 2"],
  ])("a push that breaks off at %s leaves no half image under the tag", async (_, method, path, message, left) => {
    const { host } = await registry();
    const layout = join(folder, "layout");
    const { stdout } = await image(["build", "--out", layout]);
    const manifest = readFileSync(join(layout, "blobs", stdout.trim().replace(":", "/")), "utf8");
    const { config } = JSON.parse(manifest) as Manifest;
    const at = new RegExp(path.source.replace("sha256:CONFIG", config.digest));
    const way = await breakingWay(host, method, at);
    const { code, stderr, output } = await image(["push", `${way}/sluice-filter:x`]);
    expect(code, output).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`${method} http://${way}/v2/sluice-filter/`);
    // What follows the path of an upload is the registry's secret.
    expect(stderr).not.toContain("?");
    expect(await statusOf(host, "x")).toBe(404);
    const again = await image(["push", `${host}/sluice-filter:x`]);
    expect(again.stderr).toContain(`${left} blobs sent`);
    expect(await statusOf(host, "x")).toBe(200);
  });
});
