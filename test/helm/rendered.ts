// What a real Helm says of the chart.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import { VALUES } from "../../scripts/chart/chart-files.js";
import { chartFolder, helm, template } from "../../scripts/chart/helm.js";
import { readSecret } from "../../control-plane/src/domain/keys.js";
import { type BadValues, manifestsIn, podIn, theOne, workloadIn } from "./chart.js";

const MAX_LABEL_CHARS = 63;
/** Behind a StatefulSet's name in its pods' label controller-revision-hash. */
const MAX_HASH_CHARS = 10;

export async function chartIsFlawless(binary: string): Promise<void> {
  const { code, output } = await helm(binary, ["lint", "--strict", chartFolder]);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining("0 chart(s) failed") as unknown });
}

/** Two renderings, each with secrets of its own: as the control plane reads them, and as `sluice secret new` writes them. */
export async function generatedSecretIsUsable(binary: string): Promise<void> {
  const values = join(projectRoot, VALUES, "secret-generated.yaml");
  const runs = [await template(binary, values), await template(binary, values)];
  const secrets = runs.map(({ stdout }) => {
    const manifests = manifestsIn(stdout);
    const { data = {} } = theOne("Secret", manifests);
    const [secret = "", token = ""] = ["SLUICE_SECRET", "SLUICE_ADMIN_TOKEN"].map((key) =>
      Buffer.from(data[key] ?? "", "base64").toString(),
    );
    expect(readSecret(secret)).toMatchObject({ ok: true, secret: { length: 32 } });
    expect(secret).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(token).toMatch(/^[\w-]{43}$/);
    const lines = Object.entries(data).map(([key, value]) => `${key}: ${value}`);
    const checksum = createHash("sha256").update(lines.join("\n")).digest("hex");
    expect(podIn(manifests).metadata.annotations).toEqual({ "checksum/secret": checksum });
    return [secret, token];
  });
  expect(new Set(secrets.flat()).size).toBe(4);
}

const ISTIO = { dataPlane: { kind: "istio" } };
const INIT = { store: { kind: "shared", shared: { secret: "sluice-store", init: true } } };

/** What only an installation must not do by itself, an upgrade may; and what an installation does once, an upgrade never does. */
export async function upgradesAreNoInstallations(binary: string): Promise<void> {
  const file = join(temporaryFolder(), "values.yaml");
  writeFileSync(file, stringify({ ...ISTIO, ...INIT }));
  const { code, stdout } = await template(binary, file, { upgrades: true });
  expect(code).toBe(0);
  const kinds = manifestsIn(stdout).map(({ kind }) => kind);
  expect(kinds).toContain("WasmPlugin");
  expect(kinds).not.toContain("Job");
}

/** With the longest name that Helm gives a release. */
export async function namesFitLabels(binary: string): Promise<void> {
  const values = join(projectRoot, VALUES, "shared-sentinel.yaml");
  const release = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz";
  const manifests = manifestsIn((await template(binary, values, { release })).stdout);
  const job = theOne("Job", manifests).metadata.name;
  expect(job.replace(/-store-init$/, "")).toBe(workloadIn(manifests).metadata.name);
  expect(job.length).toBeLessThanOrEqual(MAX_LABEL_CHARS);
  expect(`${workloadIn(manifests).metadata.name}-`.length + MAX_HASH_CHARS).toBeLessThanOrEqual(MAX_LABEL_CHARS);
}

/** What Helm says of values that the chart refuses. */
export async function refusal(binary: string, { values, release }: BadValues): Promise<string> {
  const file = join(temporaryFolder(), "values.yaml");
  writeFileSync(file, stringify(values));
  const { code, output } = await template(binary, file, release === undefined ? {} : { release });
  expect(code).not.toBe(0);
  return output;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-helm-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
