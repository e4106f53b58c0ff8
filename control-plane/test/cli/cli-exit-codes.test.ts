// The exit codes of the command, each from a command line that ends with it.
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { EXIT, EXIT_CODES } from "../../src/cli/failure.js";
import { jsonLines, sluice } from "../support/cli.js";
import { compiledMain } from "../support/compiled-sources.js";
import { startTestControlPlane } from "../support/control-plane.js";
import { answer, answering } from "../support/scripted-server.js";

const ID = "019b76da-a800-7000-8000-000000000000";

const code = async (line: string, url?: string, env = {}): Promise<number> =>
  (await sluice(line, { ...(url !== undefined && { url }), env })).code;
const planeUrl = async (): Promise<string> => (await startTestControlPlane()).url;
const answeringUrl = async (status: number, body: unknown): Promise<string> =>
  (await answering(answer(status, body))).url;

const ENDS: Readonly<Record<keyof typeof EXIT, () => Promise<number>>> = {
  done: async () => code("session list", await planeUrl()),
  denied: async () => code(`session show ${ID}`, await planeUrl()),
  usage: () => code("session show"),
  unreachable: () => code("edges", "http://127.0.0.1:1"),
  notAllowed: async () => code("edges", await planeUrl(), { SLUICE_ADMIN_TOKEN: "another-operators-token" }),
  unavailable: async () => code("edges", await answeringUrl(503, { error: { code: "NOT_READY", message: "no" } })),
  unconfirmed: async () => {
    const revocation = { edges: 1, confirmed: 0, pending: ["gw-1"] };
    return code(`session revoke ${ID}`, await answeringUrl(200, { session: { id: ID }, revocation }));
  },
  findings: () => code("doctor", "http://127.0.0.1:1", { SLUICE_ADMIN_TOKEN: "" }),
  internal: async () => {
    const broken = "data:text/javascript,process.stdout.write=()=>{throw new Error('broken')}";
    const args = ["--import", broken, join(dirname(compiledMain()), "cli/main.js"), "--version"];
    return (await runCommand(process.execPath, args, { env: {} })).code;
  },
};

describe("exit codes", () => {
  it.each(Object.entries(EXIT))("%s is exit code %i", async (name, expected) => {
    expect(await ENDS[name as keyof typeof EXIT]()).toBe(expected);
  });

  it("help exit-codes names each of them, and is JSON where that is asked for", async () => {
    const { out, code: ended } = await sluice("help exit-codes");
    expect(ended).toBe(0);
    for (const one of Object.values(EXIT)) expect(out).toMatch(new RegExp(`^  ${one} +\\S`, "m"));
    expect(jsonLines(await sluice("help exit-codes -o json"))).toEqual(EXIT_CODES);
  });
});

describe("-o json", () => {
  it.each(["session list", "edges", "audit", "policy status", "config", "top --once"])(
    "%s prints the same as with --json",
    async (line) => {
      const url = await planeUrl();
      const env = { SLUICE_CONFIG: "none" };
      const ran = await sluice(`${line} -o json`, { url, env });
      expect(ran.code, ran.err).toBe(0);
      expect(ran.out).toBe((await sluice(`${line} --json`, { url, env })).out);
    },
  );
});
