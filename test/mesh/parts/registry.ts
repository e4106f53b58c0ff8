// A registry on 127.0.0.1, and the filter in it: an image of one layer, a compressed archive that holds plugin.wasm.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runCommand } from "../../../scripts/run-command.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import type { MeshSite } from "../site.js";

const PORT = 5000;
export const REGISTRY = `127.0.0.1:${PORT}`;
const INDEX = "application/vnd.oci.image.manifest.v1+json";

export async function startRegistry({ folder, ends, kit }: MeshSite): Promise<void> {
  const own = join(folder, "registry");
  mkdirSync(own, { recursive: true });
  const configFile = join(own, "config.json");
  const storage = { filesystem: { rootdirectory: join(own, "data") } };
  writeFileSync(configFile, JSON.stringify({ version: "0.1", storage, http: { addr: REGISTRY } }));
  const plan = {
    ...{ name: "docker-registry", command: kit.tools["docker-registry"].binary, args: ["serve", configFile] },
    ...{ env: { PATH: process.env.PATH }, logFile: join(own, "log") },
  };
  const part = new Part(plan, (signal) =>
    waitForAnswer(`http://${REGISTRY}/v2/`, { status: 200 }, { timeoutMs: 30_000, signal }),
  );
  await ends.add(() => part.stop());
  await part.start();
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** @param image `NAME:TAG` @returns the digest of the image's manifest */
export async function pushFilter(folder: string, wasmFile: string, image: string): Promise<string> {
  const [name = "", tag = ""] = image.split(":");
  const archive = await archiveOf(folder, wasmFile);
  const layer = gzipSync(archive);
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: "wasm", os: "wasi", config: {} },
      rootfs: { type: "layers", diff_ids: [digestOf(archive)] },
    }),
  );
  await pushBlob(name, layer);
  await pushBlob(name, config);
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: INDEX },
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
      layers: [
        { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digestOf(layer), size: layer.length },
      ],
    }),
  );
  await put(`http://${REGISTRY}/v2/${name}/manifests/${tag}`, manifest, INDEX);
  return digestOf(manifest);
}

async function archiveOf(folder: string, wasmFile: string): Promise<Buffer> {
  const own = join(folder, "image");
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "plugin.wasm"), readFileSync(wasmFile));
  const file = join(folder, "image.tar");
  const { code, output } = await runCommand("tar", ["-C", own, "-cf", file, "plugin.wasm"], { env: process.env });
  if (code !== 0) throw new Error(`tar: ${output}`);
  return readFileSync(file);
}

async function pushBlob(name: string, bytes: Buffer): Promise<void> {
  const begun = await fetch(`http://${REGISTRY}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const place = new URL(begun.headers.get("location") ?? "", `http://${REGISTRY}`);
  place.searchParams.set("digest", digestOf(bytes));
  await put(place.href, bytes, "application/octet-stream");
}

async function put(url: string, bytes: Buffer, type: string): Promise<void> {
  const { status } = await fetch(url, { method: "PUT", body: bytes, headers: { "content-type": type } });
  if (status !== 201) throw new Error(`the registry answered ${status} to ${new URL(url).pathname}`);
}
