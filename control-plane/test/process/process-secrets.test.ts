// Secrets from files: the process takes them as from its variables, and warns where every user may read them.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { authorityIn } from "../support/certificates.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn, temporaryFolder } from "../support/process.js";

const ISSUER_TOKEN = "an-issuers-token-for-tests";
const WARNING = "secret-world-readable";

/** Settings whose secrets all stand in files of this mode, each with this end. */
function inFiles(end: string, mode: number): Record<string, string> {
  const folder = temporaryFolder();
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content + end);
    chmodSync(path, mode);
    return path;
  };
  return {
    ...settingsIn(),
    SLUICE_SECRET: "",
    SLUICE_ADMIN_TOKEN: "",
    SLUICE_SECRET_FILE: file("secret", SECRET),
    SLUICE_SECRET_ALSO_FILE: file("also", "a0".repeat(32)),
    SLUICE_ADMIN_TOKEN_FILE: file("admin", ADMIN_TOKEN),
    SLUICE_ISSUER_TOKEN_FILE: file("issuer", ISSUER_TOKEN),
  };
}

async function statusWith(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${url}/v1/sessions/00000000-0000-7000-8000-000000000000`, { headers })).status;
}

/** The variables that the log warns of. */
const warned = (plane: ControlPlaneProcess): string[] =>
  plane.stdout
    .split("\n")
    .filter((line) => line.includes(WARNING))
    .map((line) => (JSON.parse(line) as { variable: string }).variable);

it.each([
  ["without an end of line", ""],
  ["with LF", "\n"],
  ["with CRLF", "\r\n"],
])("secrets and tokens in files %s are taken, and none of them is in the log", async (_, end) => {
  const plane = new ControlPlaneProcess({ ...inFiles(end, 0o600), SLUICE_LOG_LEVEL: "trace" });
  const url = await plane.listening();
  expect(await statusWith(url, ADMIN_TOKEN)).toBe(404);
  expect(await statusWith(url, ISSUER_TOKEN)).toBe(404);
  expect(await statusWith(url, "no-token-of-this-installation")).toBe(401);
  expect(warned(plane)).toEqual([]);
  for (const secret of [SECRET, ADMIN_TOKEN, ISSUER_TOKEN]) expect(plane.stdout + plane.stderr).not.toContain(secret);
});

it("the log warns of each secret's file that every user may read, by variable and path alone", async () => {
  const settings = inFiles("\n", 0o604);
  const plane = new ControlPlaneProcess(settings);
  expect(await plane.logLine(WARNING)).toMatchObject({ level: "warn", path: settings.SLUICE_SECRET_FILE });
  await plane.port();
  expect(warned(plane)).toEqual([
    "SLUICE_SECRET_FILE",
    "SLUICE_SECRET_ALSO_FILE",
    "SLUICE_ADMIN_TOKEN_FILE",
    "SLUICE_ISSUER_TOKEN_FILE",
  ]);
  expect(plane.stdout).not.toContain(SECRET);
});

it("the log warns of a TLS key that every user may read, and of no certificate", async () => {
  const folder = temporaryFolder();
  const { cert, key } = authorityIn(folder, "authority").issue("server");
  const tls = { SLUICE_TLS_CERT_FILE: cert, SLUICE_HTTP_TLS_KEY_FILE: key };
  chmodSync(cert, 0o644);
  chmodSync(key, 0o644);
  const plane = new ControlPlaneProcess({ ...settingsIn(), ...tls });
  await plane.port();
  expect(warned(plane)).toEqual(["SLUICE_HTTP_TLS_KEY_FILE"]);
  expect(plane.stdout).not.toContain(readFileSync(key, "latin1").split("\n")[1]);
});

it("the command line takes the admin token from the control plane's own file", async () => {
  const settings = inFiles("\n", 0o600);
  const url = await new ControlPlaneProcess(settings).listening();
  const program = join(dirname(compiledMain()), "cli/main.js");
  const env = { SLUICE_URL: url, SLUICE_ADMIN_TOKEN_FILE: settings.SLUICE_ADMIN_TOKEN_FILE };
  const ran = await runCommand(process.execPath, [program, "session", "list"], { env });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
});
