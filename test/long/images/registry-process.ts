// A registry of the distribution project as a process of the tests, on loopback, with a folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { freePorts } from "../../../scripts/start/ports.js";
import type { FoundProgram } from "../../../scripts/test/packaged-program.js";

export interface RegistryWanted {
  /** Below which it keeps its files. */
  readonly folder: string;
  readonly program: FoundProgram;
  /** Its section `auth`. */
  readonly auth?: object;
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export interface Registry {
  /** Host and port. */
  readonly host: string;
  /** Where its images are. */
  readonly storage: string;
}

/** Until the test that starts it ends. */
export async function startRegistry({ folder, program, auth, tls }: RegistryWanted): Promise<Registry> {
  const [port = 0] = await freePorts(1);
  const own = join(folder, `registry-${port}`);
  const storage = join(own, "storage");
  mkdirSync(storage, { recursive: true });
  const host = `127.0.0.1:${port}`;
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: host, ...(tls && { tls }) },
    ...(auth && { auth }),
  };
  // JSON is YAML.
  writeFileSync(join(own, "config.yml"), JSON.stringify(config));
  const env = { ...process.env, ...program.env, OTEL_TRACES_EXPORTER: "none" };
  const args = ["serve", join(own, "config.yml")];
  const server = spawn(program.binary, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(server, "exit");
  onTestFinished(async () => {
    server.kill("SIGKILL");
    await ended;
  });
  await until(async () => {
    expect(server.exitCode, said).toBeNull();
    // Over TLS it says so even to who speaks without: 400. Where it asks for credentials: 401.
    expect([200, 400, 401]).toContain((await fetch(`http://${host}/v2/`)).status);
  });
  return { host, storage };
}
