// The filter as an OCI image in the form that Istio's agent and Envoy Gateway call "compat": a manifest, a configuration, and
// one layer with plugin.wasm. The same module and annotations make the same bytes, on any machine.
import { createHash } from "node:crypto";
import { Failure } from "../failure.js";
import { layerOf } from "./layer.js";

/** Bytes that a registry keeps by their digest. */
export interface Blob {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface FilterImage {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layer: Blob;
}

/** Of the OCI image specification 1.0: Istio's agent takes no other layer, and no manifest of Docker's as this form. */
export const MEDIA_TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** By this name both look for it in the layer. */
export const MODULE_NAME = "plugin.wasm";

/**
 * As `docker build` of the Dockerfile with `FROM scratch` says it: there is no field for "any". Neither of the two that fetch
 * the image looks at it; containerd pulls only what is of its node's platform, or of this one where an emulator is.
 */
const PLATFORM = { architecture: "amd64", os: "linux" };

/** What a module begins with: `\0asm`. */
const WASM_MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d]);

/**
 * @param where the module came from, for the message
 * @throws Failure: it is no WebAssembly module
 */
export function filterImage(
  module: Buffer,
  annotations: Readonly<Record<string, string>>,
  where = "the filter",
): FilterImage {
  if (!module.subarray(0, WASM_MAGIC.length).equals(WASM_MAGIC))
    throw new Failure(`${where} is no WebAssembly module: expected it to begin with the four bytes "\\0asm"`);
  const { tar, gzip } = layerOf(MODULE_NAME, module);
  const layer = blob(MEDIA_TYPES.layer, gzip);
  const rootfs = { type: "layers", diff_ids: [digestOf(tar)] };
  const config = blob(MEDIA_TYPES.config, canonicalJson({ ...PLATFORM, config: {}, rootfs }));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorOf(config),
    layers: [descriptorOf(layer)],
    annotations,
  };
  return { manifest: blob(MEDIA_TYPES.manifest, canonicalJson(manifest)), config, layer };
}

/** How one blob is named in another. */
export function descriptorOf({ mediaType, digest, bytes }: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length };
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Without white space, the names of each object in the order of their code units. */
export function canonicalJson(value: unknown): Buffer {
  return Buffer.from(
    JSON.stringify(value, (_, one: unknown) => {
      if (typeof one !== "object" || one === null || Array.isArray(one)) return one;
      return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
}

const blob = (mediaType: string, bytes: Buffer): Blob => ({ mediaType, digest: digestOf(bytes), bytes });
