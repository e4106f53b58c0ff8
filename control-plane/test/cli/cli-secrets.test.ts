// The command line: secrets and tokens that it makes, their hashes, and what a session token is.
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import { sha256Of } from "../../src/domain/token-hash.js";
import { deriveKeys, readSecret } from "../../src/domain/keys.js";
import { makeToken } from "../../src/domain/token.js";
import { jsonLines, sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { compiledMain } from "../support/compiled-sources.js";
import { temporaryFolder } from "../support/process.js";

interface Vectors {
  readonly secrets: readonly { readonly name: string; readonly secretHex: string; readonly keyId: number }[];
  readonly valid: readonly Record<"secret" | "token" | "sessionId" | "issuedAtMs", string>[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../test/vectors/session-token.json", import.meta.url), "utf8"),
) as Vectors;
const [first, second] = vectors.secrets;
const SECRETS = { SLUICE_SECRET: first?.secretHex, SLUICE_SECRET_ALSO: second?.secretHex };
const FIRST = deriveKeys(Buffer.from(first?.secretHex ?? "", "hex"));
const CLAIMS = { sessionId: "018bcfe5-687b-79f4-a4c9-b07b4cc8f9cb", planId: 7 };
const TOKEN = makeToken(CLAIMS, FIRST);

const inspect = (token: string, world: World = { env: SECRETS }, ...more: string[]) =>
  sluice(["token", "inspect", "-", ...more], { ...world, input: token });

describe("secret new", () => {
  it("secret new prints one secret that both programs take, alone where a program reads", async () => {
    const ran = await sluice("secret new");
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(readSecret(ran.out)).toMatchObject({ ok: true });
  });

  it("a secret that a terminal shows comes with a remark on its scrollback", async () => {
    expect((await sluice("secret new", { terminal: { columns: 80, rows: 24 } })).err).toContain("--out FILE");
  });

  it("an issuer's token comes with the line of the issuers' file, an admin's alone", async () => {
    const [issuer] = jsonLines(await sluice("secret new --kind issuer-token -o json")) as [Record<string, string>];
    expect(issuer.tokenSha256).toBe(sha256Of(issuer.secret ?? ""));
    expect((await sluice("secret new --kind issuer-token")).out).toMatch(
      /^token {8}\S{43}\ntokenSha256 {2}[0-9a-f]{64}\n$/,
    );
    expect((await sluice("secret new --kind admin-token")).out).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  });

  it("a secret that goes into a file is not printed, and no file is overwritten unasked", async () => {
    const ran = await sluice("secret new --out s");
    expect(ran).toMatchObject({
      code: 0,
      out: "file  s\n",
      written: { s: expect.stringMatching(/^\S{44}\n$/) as string },
    });
    const world = { files: { s: "mine" } };
    expect(await sluice("secret new --out s", world)).toMatchObject({ code: 2, out: "", written: {} });
    expect((await sluice("secret new --out s", world)).err).toContain("replace it with --replace");
    expect((await sluice("secret new --out s --replace", world)).written).not.toEqual({});
    expect(await sluice("secret new --replace")).toMatchObject({ code: 2, out: "" });
  });

  it("the file of a secret is its owner's alone, and what a link leads to stays as it was", async () => {
    const folder = temporaryFolder();
    const [target, file] = [join(folder, "target"), join(folder, "link")];
    writeFileSync(target, "another's");
    symlinkSync(target, file);
    const program = join(dirname(compiledMain()), "cli/main.js");
    const run = (...args: string[]) =>
      runCommand(process.execPath, [program, "secret", "new", "--out", ...args], { env: {} });
    expect(await run(file)).toMatchObject({ code: 2, stdout: "" });
    expect(await run(file, "--replace")).toMatchObject({ code: 0 });
    expect(readFileSync(target, "utf8")).toBe("another's");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readSecret(readFileSync(file, "utf8"))).toMatchObject({ ok: true });
    expect((await run(join(folder, "none", "s"))).stderr).toContain("cannot be written: ENOENT");
  });

  it.each<[string, (path: string) => unknown]>([
    ["a pipe", (path) => execFileSync("mkfifo", [path])],
    ["a folder", (path) => mkdirSync(path, { recursive: true })],
    ["a device", (path) => execFileSync("ln", ["-s", "/dev/null", path])],
  ])("%s is never replaced by a secret, whatever is asked", async (what, make) => {
    const file = join(temporaryFolder(), "out");
    make(file);
    const before = lstatSync(file).ino;
    const program = join(dirname(compiledMain()), "cli/main.js");
    const args = [program, "secret", "new", "--out", file, "--replace"];
    const ran = await runCommand(process.execPath, args, { env: {} });
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(`--out: ${file} cannot be written: expected a regular file, got ${what}`);
    expect(lstatSync(file).ino).toBe(before);
    expect(readdirSync(dirname(file))).toEqual(["out"]);
  });
});

describe("secret hash", () => {
  it("secret hash prints what the issuers' file holds of a token, without the end of its line", async () => {
    const hash = sha256Of("a-token-of-an-issuer");
    const files = { t: "a-token-of-an-issuer\n", two: "one\ntwo\n" };
    expect(await sluice("secret hash t", { files })).toMatchObject({ code: 0, out: `${hash}\n` });
    const json = jsonLines(await sluice("secret hash t --json", { files }));
    expect(json).toEqual([{ tokenSha256: hash, publicName: hash.slice(0, 8) }]);
    expect(await sluice("secret hash two", { files })).toMatchObject({ code: 2, out: "" });
  });
});

describe("token inspect", () => {
  it.each(vectors.valid)("a genuine token is inspected: of $secret, $sessionId", async (valid) => {
    const ran = await inspect(`${valid.token}\n`, { env: SECRETS }, "-o", "json");
    expect(ran).toMatchObject({ code: 0, err: "" });
    const madeWith = valid.secret === "first" ? "SLUICE_SECRET" : "SLUICE_SECRET_ALSO";
    const { sessionId, issuedAtMs } = valid;
    expect(jsonLines(ran)).toMatchObject([{ sessionId, createdAt: Number(issuedAtMs), genuine: true, madeWith }]);
  });

  it("token inspect shows what a token says, in words", async () => {
    expect((await inspect(TOKEN)).out).toBe(
      "session  018bcfe5-687b-79f4-a4c9-b07b4cc8f9cb\ncreated  2023-11-14T22:13:20Z\nplan id  7\n" +
        "key id   4\ngenuine  yes, made with SLUICE_SECRET\n",
    );
  });

  it("a token with a changed plan is not genuine: exit code 1, and the reason", async () => {
    const bytes = Buffer.from(TOKEN, "base64url");
    bytes.writeUInt8(8, 19);
    const ran = await inspect(bytes.toString("base64url"));
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.out).toMatch(/^plan id +8\n.*\ngenuine +no\n$/ms);
    expect(ran.err).toContain("TOKEN_NOT_GENUINE: its tag is not that of SLUICE_SECRET");
  });

  it("a token of another installation is not genuine, and its key id says so", async () => {
    const ran = await inspect(TOKEN, { env: { SLUICE_SECRET: second?.secretHex } });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("its key id is 4, and SLUICE_SECRET has 188");
  });

  it.each([
    ["", "expected 48 characters, got 0"],
    [TOKEN.slice(1), "expected 48 characters, got 47"],
    [`"${TOKEN}"`, "character 1 of 50 is none of base64url"],
    [TOKEN.replace(/.{8}$/, "+7ZQNCS="), "character 41 of 48 is none of base64url"],
    [TOKEN.replace("AQ", "Ag"), "characters 1 and 2: expected version 1, got 2"],
    [TOKEN.replace(/^(.{11})./, "$1A"), "characters 3 to 24: the session id is no UUIDv7"],
  ])("a malformed token is exit code 1, with what is wrong and where: %j", async (token, why) => {
    const ran = await inspect(token);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain(`TOKEN_MALFORMED: <stdin>: ${why}`);
    if (token.length > 20) expect(ran.err).not.toContain(token.slice(4, 20));
  });

  it("a token on the command line is refused without being repeated", async () => {
    const ran = await sluice(["token", "inspect", TOKEN], { env: SECRETS });
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).not.toContain(TOKEN);
  });

  it("token inspect fails where it has no secret, unless it is not to check", async () => {
    expect(await inspect(TOKEN, {})).toMatchObject({ code: 2, out: "" });
    const ran = await inspect(TOKEN, {}, "--unchecked");
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toContain("genuine  not checked\n");
    expect(jsonLines(await inspect(TOKEN, {}, "--unchecked", "--json"))).toMatchObject([{ genuine: null }]);
  });

  it("the secret may come from a file, which an option or the environment names", async () => {
    const files = { s: `${first?.secretHex ?? ""}\n`, short: "0011" };
    expect((await inspect(TOKEN, { files }, "--secret-file", "s")).out).toContain("made with --secret-file");
    expect((await inspect(TOKEN, { files, env: { SLUICE_SECRET_FILE: "s" } })).code).toBe(0);
    const short = await inspect(TOKEN, { files, env: { SLUICE_SECRET_FILE: "short" } });
    expect(short).toMatchObject({ code: 2, out: "" });
    expect(short.err).toContain("SLUICE_SECRET_FILE holds 2 bytes, at least 32 are needed");
    const both = { SLUICE_SECRET: first?.secretHex, SLUICE_SECRET_FILE: "s" };
    expect((await inspect(TOKEN, { files, env: both })).err).toContain("both set");
  });
});
