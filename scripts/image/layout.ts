// An image as a folder: the layout of the OCI image specification 1.0, which skopeo, crane and oras read.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.js";
import { canonicalJson, descriptorOf, type Blob, type FilterImage } from "./filter-image.js";

const MARK = "oci-layout";
const PARTS = [MARK, "index.json", "blobs"];

/**
 * Writes the image, and nothing of one that was in the folder before.
 * @param tag by which the folder's readers may ask for it
 * @throws Failure: the folder holds something else
 */
export function writeLayout({ manifest, config, layer }: FilterImage, tag: string, folder: string): void {
  emptyLayout(folder);
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...descriptorOf(manifest), annotations: { "org.opencontainers.image.ref.name": tag } }],
  };
  for (const { digest, bytes } of [config, layer, manifest] satisfies Blob[])
    writeFileSync(join(folder, "blobs", digest.replace(":", "/")), bytes);
  writeFileSync(join(folder, "index.json"), canonicalJson(index));
  writeFileSync(join(folder, MARK), canonicalJson({ imageLayoutVersion: "1.0.0" }));
}

function emptyLayout(folder: string): void {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  if (there.length > 0 && !there.includes(MARK))
    throw new Failure(`${folder} holds something else than an image: expected an empty folder, or one with ${MARK}`);
  for (const part of PARTS) rmSync(join(folder, part), { recursive: true, force: true });
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
}
