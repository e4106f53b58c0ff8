// The command that prints the control plane's manifests for Kubernetes.
import { MAX_POLICY_BYTES } from "../../../../../assembly/contract.js";
import { kubernetesInstallation } from "../../../render/kubernetes/installation.js";
import type { Invocation, LocalCommand } from "../../command.js";
import { done, usageFailure } from "../../failure.js";
import type { Outcome } from "../../failure.js";
import { readOr } from "../document-source.js";
import { imageViolation, namesViolation, PULL_SECRET_OPTIONS, readDigest } from "./kubernetes-options.js";
import { NOTHING_ASKED } from "./render-options.js";
import { readPolicyFile } from "./render-policy.js";
import { printManifests } from "./render-print.js";

const MAX_REPLICAS = 100;

export const renderKubernetes: LocalCommand = {
  name: "render kubernetes",
  summary: "print the control plane's manifests for Kubernetes",
  args: [],
  options: {
    image: { kind: "text", value: "REF", required: true, what: "the control plane's image, with its registry and tag" },
    "image-digest": { kind: "text", value: "DIGEST", what: "sha256 of the image's manifest: nothing else is run" },
    ...PULL_SECRET_OPTIONS,
    store: {
      kind: "text",
      value: "FORM",
      values: ["folder", "shared"],
      what: "one control plane with a volume (folder, the default), or several over a Redis or Valkey (shared)",
    },
    replicas: {
      kind: "count",
      value: "NUMBER",
      least: 2,
      most: MAX_REPLICAS,
      what: "control planes of the shared form (2)",
    },
    namespace: { kind: "text", value: "NAME", what: "where all of this stands (sluice)" },
    openshift: { kind: "flag", what: "for OpenShift, which gives pods their ids and has its DNS on port 5353" },
    policy: { kind: "text", value: "FILE", what: "also the ConfigMap sluice-policy, with this policy" },
  },
  notes: [
    NOTHING_ASKED,
    "Secrets are named, not printed: sluice with SLUICE_SECRET and SLUICE_ADMIN_TOKEN; of the shared form also",
    "sluice-store, whose key store has the URL of the server.",
  ],
  example: "render kubernetes --image registry.example/sluice:0.1.0 --policy policy.yaml",
  next: "kubectl apply -f kubernetes.yaml   once the Secrets are there",
  runLocally: async (invocation) => {
    const { text, number, flag } = invocation;
    const [image, store] = [text("image") ?? "", text("store") === "shared" ? "shared" : "folder"] as const;
    const violation =
      imageViolation(image) ??
      namesViolation(invocation, "namespace", "image-pull-secret") ??
      (store === "folder" && number("replicas") !== undefined ? "--replicas goes with --store shared" : undefined);
    if (violation !== undefined) return usageFailure(violation);
    const digest = readDigest(invocation);
    if (!digest.ok) return digest.failure;
    const policy = await readPolicyText(invocation);
    if (!policy.ok) return policy.failure;
    const plane = {
      ...{ image, store, digest: digest.value, policy: policy.value },
      ...{ pullSecret: text("image-pull-secret"), replicas: number("replicas"), namespace: text("namespace") },
      openshift: flag("openshift"),
    };
    printManifests(invocation, kubernetesInstallation(plane));
    return undefined;
  },
};

/** As it stands in the file, comments included, if it is a policy at all. */
async function readPolicyText(invocation: Invocation): Promise<Outcome<string | undefined>> {
  const file = invocation.text("policy");
  if (file === undefined) return done(undefined);
  const policy = await readPolicyFile(file, invocation);
  if (!policy.ok) return policy;
  const read = await readOr(file, () => invocation.io.readFile(file, MAX_POLICY_BYTES));
  return read.ok ? done(read.value.toString()) : read;
}
