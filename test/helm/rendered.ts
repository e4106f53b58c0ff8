// What a real Helm says of the chart: parts that the quick and the long tests share, and one that needs an API server.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import { VALUES } from "../../scripts/chart/chart-files.js";
import { chartFolder, helm, NAMESPACE, RELEASE, template } from "../../scripts/chart/helm.js";
import { readSecret } from "../../control-plane/src/domain/keys.js";
import { type BadValues, manifestsIn, podIn, theOne } from "./chart.js";

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

/** What Helm says of values that the chart refuses. */
export async function refusal(binary: string, { values }: BadValues): Promise<string> {
  const file = join(temporaryFolder(), "values.yaml");
  writeFileSync(file, stringify(values));
  const { code, output } = await template(binary, file);
  expect(code).not.toBe(0);
  return output;
}

/**
 * Against an API server: secrets that were generated stay through an upgrade and an uninstallation, and a release that comes
 * back has them again.
 *
 * @param kubeconfig path; its user may do everything in the namespace
 * @param read a Secret's data as `kubectl get secret -o jsonpath='{.data}'` prints it
 */
export async function generatedSecretIsKept(
  binary: string,
  kubeconfig: string,
  read: (namespace: string, name: string) => Promise<string>,
): Promise<void> {
  const done = async (...args: string[]): Promise<void> => {
    const { code, output } = await helm(binary, [...args, "--namespace", NAMESPACE], kubeconfig);
    expect({ code, output }).toMatchObject({ code: 0 });
  };
  const generated = ["--set", "secrets.generate=true"];
  await done("install", RELEASE, chartFolder, "--create-namespace", ...generated);
  const first = await read(NAMESPACE, RELEASE);
  expect(first).toContain("SLUICE_ADMIN_TOKEN");
  await done("upgrade", RELEASE, chartFolder, ...generated, "--set", "logLevel=debug");
  expect(await read(NAMESPACE, RELEASE)).toBe(first);
  await done("uninstall", RELEASE);
  expect(await read(NAMESPACE, RELEASE)).toBe(first);
  await done("install", RELEASE, chartFolder, ...generated);
  expect(await read(NAMESPACE, RELEASE)).toBe(first);
  await done("uninstall", RELEASE);
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-helm-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
