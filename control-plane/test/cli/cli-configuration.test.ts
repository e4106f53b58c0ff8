// The command line: its configuration file, and what wins over what.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { jsonLines, sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ADMIN_TOKEN, startTestControlPlane } from "../support/control-plane.js";
import { temporaryFolder } from "../support/process.js";

const FILE = "/home/ada/.config/sluice/config.yaml";
const HOME = { HOME: "/home/ada", SLUICE_ADMIN_TOKEN: undefined };

const shown = async (text: string, env: World["env"] = {}, line = "config --json", files: World["files"] = {}) => {
  const ran = await sluice(line, { env: { ...HOME, ...env }, files: { [FILE]: text, ...files } });
  expect(ran).toMatchObject({ code: 0, err: "" });
  const rows = jsonLines(ran) as { setting: string; value: string | null; from: string | null }[];
  return new Map(rows.map(({ setting, value, from }) => [setting, [value, from]]));
};

describe("the configuration file", () => {
  it("a configuration file names the control plane, and the token's file relative to itself", async () => {
    const plane = await startTestControlPlane();
    const config = `url: ${plane.url}\ntokenFile: admin-token\n`;
    const files = { [FILE]: config, "/home/ada/.config/sluice/admin-token": `${ADMIN_TOKEN}\n` };
    expect(await sluice("session list", { env: HOME, files })).toMatchObject({ code: 0, err: "" });
  });

  it("the environment wins over the configuration file, and an option over both", async () => {
    const text = "url: http://file:1\ntokenFile: ~/t\ntlsCaFile: ca.pem\n";
    const inFile = await shown(text);
    expect(inFile.get("url")).toEqual(["http://file:1", `url in ${FILE}`]);
    expect(inFile.get("token")).toEqual(["/home/ada/t", `tokenFile in ${FILE}`]);
    expect(inFile.get("tlsCaFile")).toEqual(["/home/ada/.config/sluice/ca.pem", `tlsCaFile in ${FILE}`]);
    const env = { SLUICE_URL: "http://env:2", SLUICE_ADMIN_TOKEN: "a-secret-token", SLUICE_TLS_CA_FILE: "/ca" };
    const inEnvironment = await shown(text, env);
    expect(inEnvironment.get("url")).toEqual(["http://env:2", "SLUICE_URL"]);
    expect(inEnvironment.get("token")).toEqual([null, "SLUICE_ADMIN_TOKEN"]);
    expect(inEnvironment.get("tlsCaFile")).toEqual(["/ca", "SLUICE_TLS_CA_FILE"]);
    const byOption = await shown(text, env, "config --json --token-file mine");
    expect(byOption.get("token")).toEqual(["mine", "--token-file"]);
  });

  it("a configuration file is where SLUICE_CONFIG or XDG_CONFIG_HOME says, or nowhere", async () => {
    const files = { "/x/sluice/config.yaml": "url: http://xdg:1", "/named": "url: http://named:1" };
    expect((await shown("url: http://home:1", { XDG_CONFIG_HOME: "/x" }, undefined, files)).get("url")?.[0]).toBe(
      "http://xdg:1",
    );
    expect((await shown("url: http://home:1", { XDG_CONFIG_HOME: "x" }, undefined, files)).get("url")?.[0]).toBe(
      "http://home:1",
    );
    const named = { XDG_CONFIG_HOME: "/x", SLUICE_CONFIG: "/named" };
    expect((await shown("", named, undefined, files)).get("url")?.[0]).toBe("http://named:1");
    const none = await shown("url: http://home:1", { SLUICE_CONFIG: "none" });
    expect([none.get("url"), none.get("configuration")]).toEqual([
      ["http://127.0.0.1:8080/", "default"],
      [null, null],
    ]);
  });

  it("an empty configuration file is good, and so is none", async () => {
    expect((await shown("# nothing yet\n")).get("configuration")).toEqual([FILE, null]);
    const ran = await sluice("config", { env: HOME });
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/^configuration +- +-$/m);
  });

  it.each([
    ["ulr: http://x", ":1:1: expected no field but url, tokenFile, tlsCaFile, clientCertFile, clientKeyFile"],
    ["url: http://x\ntoken: s3cr3t", ":2:1: expected no field but url"],
    ["url: http://x\nurl: http://y", ":2:1: "],
    ["- url", ":1:1: expected an object with the fields url"],
    ["url: 8080", ":1:6: url: expected a URL such as https://sluice.example:8080"],
    ["\turl: x", ":1:1: not accepted as YAML"],
    ["url: &a http://x", "not accepted as YAML"],
    ["tokenFile:", ":1:1: tokenFile: expected a file's path"],
    ["a: 1\nb: 2", "(and 1 more)"],
    ["url: ftp://x", `url in ${FILE}: expected a URL`],
  ])("a configuration file that cannot be used is exit code 2, with the place: %j", async (text, said) => {
    const ran = await sluice("edges", { env: HOME, files: { [FILE]: text } });
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toContain(said);
    expect(ran.err).toContain(FILE);
    expect(ran.err).not.toContain("s3cr3t");
  });

  it.each([
    ["url: http://a:s3cr3t@127.0.0.1:1", {}, `url in ${FILE}: expected a URL`],
    ["url: ftp://s3cr3t", {}, `url in ${FILE}: expected a URL`],
    ["", { SLUICE_URL: "http://h/?token=s3cr3t" }, "SLUICE_URL: expected a URL"],
    ["", { SLUICE_ULR: "http://s3cr3t" }, "SLUICE_ULR: there is no such setting"],
  ])("config refuses what a call refuses, and does not repeat it: %j", async (text, more, said) => {
    const world = { env: { ...HOME, SLUICE_ADMIN_TOKEN: "t", ...more }, files: { [FILE]: text } };
    const [shows, calls] = [await sluice("config", world), await sluice("edges", world)];
    expect(shows).toEqual(calls);
    expect(shows).toMatchObject({ code: 2, out: "" });
    expect(shows.err).toContain(said);
    expect(shows.err).not.toContain("s3cr3t");
  });

  it("config repeats no file's name that may be a key in its place", async () => {
    const key = "K".repeat(43);
    const rows = await shown("", { SLUICE_CLIENT_KEY_FILE: key });
    expect(rows.get("clientKeyFile")).toEqual(["(not repeated: it may be a secret)", "SLUICE_CLIENT_KEY_FILE"]);
  });

  it("a configuration file that is not there, or that everyone may write, is exit code 2", async () => {
    const missing = await sluice("edges", { env: { SLUICE_CONFIG: "/nowhere" } });
    expect(missing).toMatchObject({ code: 2, out: "" });
    expect(missing.err).toContain("SLUICE_CONFIG: /nowhere cannot be read");
    const open = await sluice("edges", { env: HOME, files: { [FILE]: "url: http://x" }, openFiles: [FILE] });
    expect(open).toMatchObject({ code: 2, out: "" });
    expect(open.err).toContain("every user of this machine may write it\nchmod o-w");
  });

  it("a configuration file that nobody named counts as none where this user may not look", async () => {
    const plane = await startTestControlPlane();
    const world = { url: plane.url, forbidden: [FILE] };
    expect(await sluice("session list", { ...world, env: { HOME: "/home/ada" } })).toMatchObject({ code: 0, err: "" });
    const named = await sluice("session list", { ...world, env: { SLUICE_CONFIG: FILE } });
    expect(named).toMatchObject({ code: 2, out: "" });
    expect(named.err).toContain(`SLUICE_CONFIG: ${FILE} cannot be read: EACCES`);
  });

  it("docs/cli.md shows what config prints of a configuration file", async () => {
    const text = "url: https://sluice.example:8080\ntlsCaFile: /etc/ssl/sluice-ca.pem\n";
    const ran = await sluice("config", { env: { ...HOME, SLUICE_ADMIN_TOKEN: "t" }, files: { [FILE]: text } });
    const shownInDocs = /^\$ \.\/sluice config\n([^]*?)^```$/m.exec(readFileSync("docs/cli.md", "utf8"))?.[1];
    const trimmed = (lines = ""): string => lines.replace(/ +$/gm, "");
    expect(trimmed(shownInDocs)).toBe(trimmed(ran.out));
  });

  it("the command as a process finds its configuration file in the home folder", async () => {
    const home = temporaryFolder();
    const file = join(home, ".config/sluice/config.yaml");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "url: http://127.0.0.1:1\n");
    const program = join(dirname(compiledMain()), "cli/main.js");
    const run = () => runCommand(process.execPath, [program, "config"], { env: { HOME: home } });
    expect((await run()).stdout).toContain("http://127.0.0.1:1");
    chmodSync(file, 0o666);
    expect(await run()).toMatchObject({ code: 2, stdout: "" });
  });
});
