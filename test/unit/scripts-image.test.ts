// The filter's image as bytes: what Istio's agent and Envoy Gateway look for is in it, and the same module makes the same digest.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { annotationsOf } from "../../scripts/image/annotations.js";
import { canonicalJson, filterImage } from "../../scripts/image/filter-image.js";
import { writeLayout } from "../../scripts/image/layout.js";
import { projectRoot } from "../../scripts/project-root.js";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

const ANNOTATIONS = {
  "org.opencontainers.image.version": "1.2.3",
  "org.opencontainers.image.licenses": "Apache-2.0",
};

/** Begins as a module does; more than three of the longest blocks that deflate can store, and no whole one of tar. */
const MODULE = Buffer.alloc(200_001, 7);
MODULE.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** Of manifest, configuration and layer. Whoever has pinned an image has it by the first: another one here is another for them. */
const VECTOR = [
  "sha256:54af8ba7b3d8bf2b7b05e19964d63dedfbee04b0b1cc9ddc97d170c532649712",
  "sha256:faa67f22ea6416ed9e92d1f04f108115b7dbdd741f0ba693e11ed477317649b6",
  "sha256:192973018ed94e7109d2c1687db751faec76ccb2d7194f32a3b79faa4f9e2a34",
];

const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-image-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const blobIn = (layout: string, digest: string): Buffer =>
  readFileSync(join(layout, "blobs", digest.replace(":", "/")));
const jsonIn = (layout: string, digest: string): unknown => JSON.parse(blobIn(layout, digest).toString()) as unknown;

/** Every file of the layout, by its path. */
function filesOf(layout: string): Record<string, string> {
  const entries = readdirSync(layout, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => [
      join(parentPath, name).slice(layout.length),
      sha256(readFileSync(join(parentPath, name))),
    ]),
  );
}

it("the digest of an image is the same for the same module, on every machine", () => {
  const { manifest, config, layer } = filterImage(MODULE, ANNOTATIONS);
  expect([manifest.digest, config.digest, layer.digest]).toEqual(VECTOR);
});

it("an image's folder names each blob by the digest and size of its bytes", () => {
  writeLayout(filterImage(MODULE, ANNOTATIONS), "1.2.3", folder);
  expect(JSON.parse(readFileSync(join(folder, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as { manifests: Descriptor[] };
  const [named, ...more] = index.manifests;
  expect(more).toEqual([]);
  const manifest = jsonIn(folder, named?.digest ?? "") as Manifest;
  const descriptors = [...index.manifests, manifest.config, ...manifest.layers];
  expect(readdirSync(join(folder, "blobs/sha256"))).toHaveLength(descriptors.length);
  for (const { digest, size } of descriptors) {
    const bytes = blobIn(folder, digest);
    expect([sha256(bytes), bytes.length]).toEqual([digest, size]);
  }
});

it("an image is of the form that Istio's agent and Envoy Gateway call compat", () => {
  const { manifest, config, layer } = filterImage(MODULE, ANNOTATIONS);
  const { mediaType, layers, annotations, ...rest } = JSON.parse(manifest.bytes.toString()) as Manifest;
  expect(mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
  expect(layers.map((one) => one.mediaType)).toEqual(["application/vnd.oci.image.layer.v1.tar+gzip"]);
  expect(rest.config.mediaType).toBe("application/vnd.oci.image.config.v1+json");
  expect(annotations).toEqual(ANNOTATIONS);
  const { rootfs, architecture, os } = JSON.parse(config.bytes.toString()) as {
    rootfs: { type: string; diff_ids: string[] };
    architecture: string;
    os: string;
  };
  expect([architecture, os]).toEqual(["amd64", "linux"]);
  // Of the tar, not of what it is packed in.
  expect(rootfs).toEqual({ type: "layers", diff_ids: [sha256(gunzipSync(layer.bytes))] });
});

it("tar reads the layer, and finds plugin.wasm of root alone", () => {
  const file = join(folder, "layer.tar.gz");
  writeFileSync(file, filterImage(MODULE, ANNOTATIONS).layer.bytes);
  const tar = (...args: string[]): Buffer => execFileSync("tar", args, { env: { ...process.env, TZ: "UTC" } });
  const listed = tar("--list", "--verbose", "--numeric-owner", "--full-time", "--gzip", "--file", file).toString();
  expect(listed).toMatch(/^-rw-r--r-- 0\/0 +200001 1970-01-01 00:00:00 plugin\.wasm\n$/);
  expect(tar("--extract", "--gzip", "--to-stdout", "--file", file, "plugin.wasm").equals(MODULE)).toBe(true);
});

it("a layer says nothing of the machine or the version of Node that packed it", () => {
  const { bytes } = filterImage(MODULE, ANNOTATIONS).layer;
  // No name, no time, no system; and each block is stored, so no compressor's choice is in it.
  expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  for (let at = 10, isLast = false; !isLast; at += 5 + bytes.readUInt16LE(at + 1)) {
    expect(bytes[at]).toBe(at + 5 + bytes.readUInt16LE(at + 1) === bytes.length - 8 ? 1 : 0);
    isLast = bytes[at] === 1;
  }
});

it("annotations in another order make the same image", () => {
  const reversed = Object.fromEntries(Object.entries(ANNOTATIONS).reverse());
  expect(filterImage(MODULE, reversed).manifest.digest).toBe(filterImage(MODULE, ANNOTATIONS).manifest.digest);
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: "é" }).toString()).toBe('{"a":"é","b":[{"c":null,"d":1}]}');
});

it("an image written where another was is all that the folder holds", () => {
  const [once, over] = [join(folder, "once"), join(folder, "over")];
  writeLayout(filterImage(MODULE, ANNOTATIONS), "1.2.3", once);
  writeLayout(filterImage(Buffer.concat([MODULE, MODULE]), ANNOTATIONS), "1.2.2", over);
  writeLayout(filterImage(MODULE, ANNOTATIONS), "1.2.3", over);
  expect(filesOf(over)).toEqual(filesOf(once));
});

it("a folder with something else in it is left as it is", () => {
  mkdirSync(join(folder, "blobs"));
  writeFileSync(join(folder, "blobs/own"), "");
  expect(() => {
    writeLayout(filterImage(MODULE, ANNOTATIONS), "1.2.3", folder);
  }).toThrow(`${folder} holds something else than an image: expected an empty folder, or one with oci-layout`);
  expect(existsSync(join(folder, "blobs/own"))).toBe(true);
});

it("a file that is no WebAssembly module becomes no image", () => {
  expect(() => filterImage(Buffer.from("<html>"), ANNOTATIONS, "x.wasm")).toThrow(
    'x.wasm is no WebAssembly module: expected it to begin with the four bytes "\\0asm"',
  );
});

/** A project in a clone, with one commit. */
function clone(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "1.2.3", license: "Apache-2.0" }));
  git("init", "--quiet");
  git("add", ".");
  const who = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"];
  git(...who, "commit", "--quiet", "--message", "one");
  return git("rev-parse", "HEAD").trim();
}

const annotated = (revision?: string): Promise<Record<string, string>> =>
  annotationsOf("build/sluice-lean.wasm", { root: folder, env: process.env, revision });

it("an image says its version, license, build and commit", async () => {
  const commit = clone();
  writeFileSync(join(folder, "not-followed"), "");
  expect(await annotated()).toEqual({
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.revision": commit,
    "org.opencontainers.image.title": "sluice-lean",
    "org.opencontainers.image.version": "1.2.3",
  });
});

it("an image of changed files names no commit, unless it is told one", async () => {
  const commit = clone();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "1.2.4", license: "Apache-2.0" }));
  expect(await annotated()).not.toHaveProperty(["org.opencontainers.image.revision"]);
  expect(await annotated("none")).not.toHaveProperty(["org.opencontainers.image.revision"]);
  expect(await annotated(commit)).toMatchObject({ "org.opencontainers.image.revision": commit });
  await expect(annotated("main")).rejects.toThrow("--revision main is no commit: expected its 40 or 64 hex digits");
});

it("what the Dockerfile copies reaches the engine, and nothing else does", () => {
  const [first, ...lines] = readFileSync(join(projectRoot, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(first).toBe("*");
  const letIn = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const copies = readFileSync(join(projectRoot, "Dockerfile"), "utf8").match(/^COPY (?!--from).*$/gm) ?? [];
  const copied = copies.flatMap((line) => line.split(" ").slice(1, -1));
  const top = new Set(copied.map((path) => path.split("/")[0] ?? ""));
  expect([...letIn].sort()).toEqual([...top].sort());
});
