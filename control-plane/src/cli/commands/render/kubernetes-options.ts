// What the commands that print manifests share: names, and images with their digests.
import { NAMESPACE } from "../../../render/kubernetes/names.js";
import { PARTS, type Part } from "../../../render/mesh/parts.js";
import type { FailStrategy } from "../../../render/mesh/wasm-plugin.js";
import type { Invocation, Options } from "../../command.js";
import { done, failed, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import { namedViolation } from "./render-options.js";

const EXPECTED_IMAGE = "an image's reference without a digest, such as registry.example/sluice-filter:0.1.0";
const EXPECTED_NAME = 'up to 63 of a-z, 0-9 and "-"';
const DIGEST_PREFIX = "sha256:";

export const PULL_SECRET_OPTIONS: Options = {
  "image-pull-secret": { kind: "text", value: "NAME", what: "a Secret there, with which the image is pulled" },
};

/** Of the filter's image. */
export const FILTER_IMAGE_OPTIONS: Options = {
  "image-digest": { kind: "text", value: "DIGEST", what: "sha256 of the image's manifest: nothing else is taken" },
  ...PULL_SECRET_OPTIONS,
};

export const PLANE_NAMESPACE_OPTIONS: Options = {
  "control-plane-namespace": { kind: "text", value: "NAME", what: `where the Service sluice stands (${NAMESPACE})` },
};

/** Of what a mesh is given. */
export const PART_OPTIONS: Options = {
  only: {
    kind: "text",
    value: "PART",
    values: PARTS,
    what: "environment, which the proxies must have first, or filter; else both, the filter last",
  },
};

export const partOf = ({ text }: Invocation): Part | undefined => PARTS.find((part) => part === text("only"));

/** Of a WasmPlugin. */
export const FAIL_STRATEGY_OPTIONS: Options = {
  "fail-strategy": {
    kind: "text",
    value: "STRATEGY",
    values: ["reload", "close"],
    what: "a filter that trapped begins anew (reload), or answers 503 (close: Istio before 1.27 knows no other)",
  },
};

export const failStrategyOf = ({ text }: Invocation): FailStrategy =>
  text("fail-strategy") === "close" ? "FAIL_CLOSE" : "FAIL_RELOAD";

/** RFC 1123: what Kubernetes takes for a name and for a namespace. */
const isKubernetesName = (name: string): boolean => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
const isImage = (reference: string): boolean => /^[a-z0-9][\w.:/-]*$/i.test(reference) && !reference.includes("://");
export const isDigest = (digest: string): boolean => /^[0-9a-f]{64}$/.test(digest);

/** The first of these options that is no name; undefined: each is one, or was not given. */
export const namesViolation = ({ text }: Invocation, ...options: readonly string[]): string | undefined =>
  options
    .map((option) => namedViolation(option, text(option), isKubernetesName, EXPECTED_NAME))
    .find((violation) => violation !== undefined);

export const imageViolation = (image: string | undefined): string | undefined =>
  namedViolation("image", image, isImage, EXPECTED_IMAGE);

/** 64 hex digits, with `sha256:` in front of them or without. */
export function readDigest({ text }: Invocation): Outcome<string | undefined> {
  const given = text("image-digest");
  const digest = given?.startsWith(DIGEST_PREFIX) === true ? given.slice(DIGEST_PREFIX.length) : given;
  if (digest === undefined || isDigest(digest)) return done(digest);
  return failed(usageFailure("--image-digest: expected 64 hex digits, in lower case, or sha256: and those"));
}
