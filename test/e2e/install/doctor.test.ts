// What `sluice doctor` finds in real installations that have a real fault, and that it finds nothing in one that has none.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { HTTP_FILTERS, changed } from "../harness/bootstrap.js";
import { sluiceRun, sluiceRunAt } from "../harness/cli.js";
import { Installation, useInstallation } from "../harness/installation.js";
import type { InstallationOptions } from "../harness/installation-options.js";
import { WORKERS } from "../harness/processes.js";
import { policyOf } from "../harness/policy.js";

const POLICY = policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0, lifetime: 3_600_000 }]);

interface Found {
  readonly code: string;
  readonly about: string;
}

/** What is found, with the exit code. */
async function doctor(installation: Installation, envoy = true): Promise<{ code: number | null; found: Found[] }> {
  return ranDoctor(installation, ...(envoy ? ["--envoy", adminOf(installation)] : []));
}

const adminOf = ({ ports }: Installation): string => `http://127.0.0.1:${ports.admin}`;

async function ranDoctor(
  installation: Installation,
  ...more: string[]
): Promise<{ code: number | null; found: Found[] }> {
  const { code, stdout } = await sluiceRun(installation, "doctor", "--json", ...more);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { code, found: lines.map((line) => JSON.parse(line) as Found) };
}

/** Retries until it finds these, in this order. */
const finds = (installation: Installation, codes: readonly string[], envoy = true): Promise<Found[]> =>
  until(async () => {
    const { code, found } = await doctor(installation, envoy);
    expect(found.map((one) => one.code)).toEqual(codes);
    expect(code).toBe(codes.length === 0 ? 0 : 7);
    return found;
  });

/** For as long as `look` takes. */
async function faulty(
  options: Partial<InstallationOptions>,
  look: (one: Installation) => Promise<void>,
): Promise<void> {
  const installation = await Installation.start({ policy: POLICY, awaitPolicy: false, ...options });
  try {
    await look(installation);
  } finally {
    await installation.stop();
  }
}

describe("an installation", () => {
  const sluice = useInstallation({ policy: POLICY });

  it("doctor finds nothing in an installation without a fault, with its Envoy and without", async () => {
    await finds(sluice(), [], false);
    await finds(sluice(), []);
    // What a lost worker is found by.
    expect(await sluice().envoyAdmin.stat("wasm.wasm_vm_count")).toBe(WORKERS + 2);
    expect((await sluice().envoyAdmin.stats()).has("wasm.sluice.vm_reload_success")).toBe(true);
    const admin = `http://127.0.0.1:${sluice().ports.admin}`;
    expect((await sluiceRun(sluice(), "doctor", "--envoy", admin)).stdout).toBe("Nothing to mend: 1 edge watches\n");
  });

  it("doctor says that an Envoy does not answer, or is none", async () => {
    const ran = await sluiceRun(sluice(), "doctor", "--envoy", `http://127.0.0.1:${sluice().ports.http}`);
    expect(ran.stdout).toContain("it answers, but not as an Envoy's admin interface does");
    const nobody = await sluiceRun(sluice(), "doctor", "--envoy", "http://127.0.0.1:1");
    expect(nobody).toMatchObject({ code: 7 });
    expect(nobody.stdout).toMatch(/^1\. envoy http:\/\/127\.0\.0\.1:1: no answer: .*ECONNREFUSED/);
  });

  it("doctor says that SLUICE_URL is an Envoy's address, or the status listener's", async () => {
    const { proxy, status } = sluice().ports;
    const at = async (port: number): Promise<string> => {
      const { code, stdout } = await sluiceRunAt(`http://127.0.0.1:${port}`, sluice(), "doctor");
      expect(code).toBe(7);
      return stdout;
    };
    expect(await at(proxy)).toMatch(
      /^1\. control plane: .* is an Envoy with the filter.*\n {3}Is SLUICE_URL right\?\n$/,
    );
    expect(await at(status)).toMatch(
      /^1\. control plane: This is the status listener.*\n {3}Is SLUICE_URL the address/s,
    );
  });

  it("doctor finds an Envoy that calls another control plane than the one that is asked", async () => {
    await faulty({ startEdges: false }, async (another) => {
      const { code, found } = await ranDoctor(another, "--envoy", adminOf(sluice()));
      const what = expect.stringContaining(`sluice_control_plane calls 127.0.0.1:${sluice().ports.http}`) as string;
      expect(found).toEqual([expect.objectContaining({ code: "EDGE_UNKNOWN", about: "edge sluice-edge", what })]);
      expect(code).toBe(7);
    });
  });

  it("doctor finds a policy that is rejected or held back, and names the next step", async () => {
    const { id } = await sluice().api.issue();
    sluice().writePolicy("version: 1\nplans: []\n");
    await finds(sluice(), ["POLICY_REJECTED"]);
    sluice().writePolicy(policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0, lifetime: 1 }]));
    const [held] = await finds(sluice(), ["POLICY_HELD"]);
    expect(held).toMatchObject({ act: expect.stringMatching(/sluice policy confirm [0-9a-f]{16}$/) as string });
    sluice().writePolicy(POLICY);
    await finds(sluice(), []);
    await sluice().api.revoke(id);
  });

  it("doctor names a stopped control plane first, and then what its Envoy has of it", async () => {
    await sluice().controlPlane.stop();
    const found = await finds(sluice(), ["UNREACHABLE", "CALLS_FAIL"]);
    expect(found[0]).toMatchObject({ about: "control plane" });
    await sluice().controlPlane.start();
    await finds(sluice(), []);
  });
});

const ENVIRONMENT = [...HTTP_FILTERS, 0, "typed_config", "config", "vm_config", "environment_variables"];

describe("an Envoy", () => {
  it("doctor finds an Envoy whose secret differs, also by the control plane alone", async () => {
    const another = { key_values: { SLUICE_SECRET: "ab".repeat(32) } };
    const bootstrap = (yaml: string): string =>
      changed(yaml, (document) => {
        document.setIn(ENVIRONMENT, document.createNode(another));
      });
    await faulty({ bootstrap }, async (installation) => {
      await finds(installation, ["SECRET_DIFFERS"], false);
      const [found] = await finds(installation, ["SECRET_DIFFERS"]);
      expect(found).toMatchObject({ about: "edge sluice-edge" });
    });
  });

  it("doctor finds an Envoy without the filter before it says that nobody has called", async () => {
    const bootstrap = (yaml: string): string =>
      changed(yaml, (document) => {
        document.deleteIn([...HTTP_FILTERS, 0]);
      });
    await faulty({ bootstrap }, async (installation) => {
      await finds(installation, ["NO_EDGES"], false);
      await finds(installation, ["NO_FILTER", "NO_EDGES"]);
    });
  });

  it("doctor finds a cluster of the calls that is not there, or leads nowhere", async () => {
    const bootstrap = (yaml: string): string => yaml.replaceAll(/name: sluice_control_plane$/gm, "name: another");
    await faulty({ bootstrap }, async (installation) => {
      await finds(installation, ["NO_CLUSTER", "NO_EDGES"]);
    });
    await faulty({ controlPlane: false }, async (installation) => {
      await finds(installation, ["UNREACHABLE", "CALLS_FAIL"]);
    });
  });

  it("doctor finds an Envoy that could not load the filter from the file that it follows", async () => {
    await faulty({ followedFilter: true, startEdges: false }, async (installation) => {
      installation.replaceFilter("/nowhere/sluice.wasm");
      await installation.envoy.start();
      await finds(installation, ["FILTER_NOT_RUNNING", "NO_EDGES"]);
    });
  });
});
