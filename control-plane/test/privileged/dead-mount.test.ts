// A policy on a mount that is dead: starts, stops and readings end all the same.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";

import { authorityIn } from "../support/certificates.js";
import type { Authority, Identity } from "../support/certificates.js";
import { CONTAINED, firstChildOf, needsNamespaces } from "../support/contained.js";
import { deadMount, needsDeadMount } from "../support/dead-mount.js";
import { ControlPlaneProcess, knownPorts, settingsIn, temporaryFolder, withStoredPolicy } from "../support/process.js";
import { until } from "../support/until.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 200, tokenRefillRate: 10 }\n";

/** The certificate that a new connection is shown. */
async function shownAt(port: number, { cert }: Authority): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, ca: readFileSync(cert), servername: "localhost" });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
  } finally {
    socket.destroy();
  }
}

/** Where the signal of an abort is not delivered either, its next step is an instruction that no process may run. */
const ABORTED = ["SIGABRT", "SIGSEGV"];

const fingerprintOf = ({ cert }: Identity): string => new X509Certificate(readFileSync(cert)).fingerprint256;

describe("a policy on a mount that is dead", () => {
  /** The policy in a folder of its own, over which a mount may come. */
  async function elsewhere(): Promise<{ settings: Record<string, string>; folder: string }> {
    const settings = await withStoredPolicy();
    const folder = temporaryFolder();
    renameSync(settings.SLUICE_POLICY ?? "", join(folder, "policy.yaml"));
    return { settings: { ...settings, SLUICE_POLICY: join(folder, "policy.yaml") }, folder };
  }

  /** As in a container, with the mount dead already. */
  async function startedAsProcess1(context: TestContext) {
    needsDeadMount(context);
    needsNamespaces(context);
    const { settings, folder } = await elsewhere();
    deadMount(folder);
    return { plane: new ControlPlaneProcess(settings, CONTAINED), settings };
  }

  it("a start serves the stored policy, and a stop ends it by the signal it was given", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    deadMount(folder);
    const plane = new ControlPlaneProcess(settings);
    expect((await fetch(`${await plane.status()}/readyz`)).status).toBe(200);
    expect(JSON.stringify(await plane.logLine("policy-rejected"))).toContain("cannot be read: no answer within 5 s");
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(plane.stdout).toContain('"event":"stopping"');
  });

  it("a start that waits for the policy is alive, and not ready for the reason that it names", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    deadMount(folder);
    const known = await knownPorts(settings);
    const plane = new ControlPlaneProcess(known.settings);
    const probe = (path: string): Promise<Response> => fetch(known.status + path);
    await until(async () => {
      expect(await (await probe("/readyz")).text()).toContain("is starting: the policy is being read");
    });
    expect((await probe("/healthz")).status).toBe(200);
    expect((await probe("/readyz")).status).toBe(503);
    expect(await (await probe("/metrics")).text()).toContain("process_cpu_user_seconds_total");
    await expect(fetch(`${known.url}/openapi.json`)).rejects.toThrow();
    await plane.listening();
    expect((await probe("/readyz")).status).toBe(200);
  });

  it("a running control plane serves on, and takes the policy when the mount is back", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    const plane = new ControlPlaneProcess(settings);
    const url = await plane.status();
    const unmount = deadMount(folder);
    await plane.logLine("policy-rejected");
    // Each look has ended by its deadline; so many threads would be gone if each had one.
    for (let call = 0; call < 20; call++) expect((await fetch(`${url}/readyz`)).status).toBe(200);
    unmount();
    writeFileSync(join(folder, "policy.yaml"), POLICY);
    await until(() => {
      expect(plane.stdout).toContain('"event":"policy-accepted"');
    });
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });

  it("a stop as process 1 of a container, which no own signal ends, is an abort", async (context) => {
    const { plane } = await startedAsProcess1(context);
    await plane.listening();
    process.kill(firstChildOf(plane.pid), "SIGTERM");
    expect(ABORTED).toContain((await plane.ended).signal);
    expect(plane.stdout).toContain('"event":"stopping"');
  });

  it("a stop of process 1 of a container while it still starts ends it, and it never serves", async (context) => {
    const { plane, settings } = await startedAsProcess1(context);
    const lock = join(settings.SLUICE_DATA_DIR ?? "", "control-plane.lock");
    // The start reads the policy next, and waits 5 s for it.
    await until(() => {
      expect(readFileSync(lock, "utf8")).toContain("process 1 on");
    });
    process.kill(firstChildOf(plane.pid), "SIGTERM");
    expect(ABORTED).toContain((await plane.ended).signal);
    expect(plane.stdout).toContain('"event":"stopping"');
    expect(plane.stdout).not.toContain('"event":"listening"');
  });

  it("a certificate is renewed while the policy's mount is dead", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    const certificates = temporaryFolder();
    const authority = authorityIn(certificates, "authority");
    const [first, second] = [authority.issue("first"), authority.issue("second")];
    const inUse = { cert: join(certificates, "in-use.crt"), key: join(certificates, "in-use.key") };
    const install = ({ cert, key }: Identity): void => {
      copyFileSync(cert, inUse.cert);
      copyFileSync(key, inUse.key);
    };
    install(first);
    const tls = { SLUICE_TLS_CERT_FILE: inUse.cert, SLUICE_TLS_KEY_FILE: inUse.key };
    const plane = new ControlPlaneProcess({ ...settings, ...tls });
    const port = await plane.port();
    expect(await shownAt(port, authority)).toBe(fingerprintOf(first));
    deadMount(folder);
    await plane.logLine("policy-rejected");
    install(second);
    await until(async () => {
      expect(await shownAt(port, authority)).toBe(fingerprintOf(second));
    });
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("a first start without a stored policy ends, and says that there was no answer", async (context) => {
    needsDeadMount(context);
    const folder = temporaryFolder();
    const settings = { ...settingsIn(), SLUICE_POLICY: join(folder, "policy.yaml") };
    deadMount(folder);
    const plane = new ControlPlaneProcess(settings);
    expect(await plane.ended).toEqual({ code: null, signal: "SIGKILL" });
    expect(plane.stderr).toContain("cannot be read: no answer within 5 s");
  });
});
