// The command line's words: what is wrong before anything is sent, the help, and the page that documents it all.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { commandOf, readArguments, wordsOf } from "../../src/cli/arguments.js";
import { GENERAL_OPTIONS } from "../../src/cli/command.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { EXIT } from "../../src/cli/failure.js";
import { sluice } from "../support/cli.js";

const ID = "019b76da-a800-7000-8000-000000000000";

describe("a command line that cannot be used", () => {
  it.each([
    ["frobnicate", "there is no command frobnicate"],
    ["session frobnicate", "there is no command session frobnicate"],
    ["session show", "ID is missing: the session's id"],
    ["session show 1 2", "too many arguments: 1 expected, 2 given"],
    ["session create --org o", "--user is missing: whose session it is"],
    ["session create --user --org o", "--user"],
    ["session create --user=a --org= ", "--org is empty"],
    ["session create --user a --user b --org o", "--user is given twice"],
    ["session list --colour", "Unknown option '--colour'"],
    ["session list --limit 0", "--limit: expected a whole number from 1 to 1000000"],
    ["session list --limit 1.5", "--limit: expected a whole number"],
    ["edges --timeout soon", "--timeout: expected a number from 1 to 3600"],
    ["edges --json=yes", "--json"],
    [
      "--colour red edges",
      "there is no option --colour\nEvery command takes --output, --json, --token-file, --timeout",
    ],
    ["edges -o yaml", "--output: expected text or json"],
    ["edges --output=", "--output is empty"],
    ["edges --json -o text", "--json and --output text exclude each other"],
    ["session list --state dead", "--state: expected one of live, revoked, expired"],
    ["render settings --format xml", "--format: expected yaml or json"],
    ["--colour", "there is no option --colour"],
    ["-x red edges", "there is no option -x"],
  ])('"sluice %s" is exit code 2, and nothing is sent', async (line, said) => {
    const ran = await sluice(line);
    expect(ran).toMatchObject({ code: EXIT.usage, out: "" });
    expect(ran.err).toContain(said);
  });

  it.each([
    "token SECRET",
    "SECRET",
    "help SECRET",
    "session SECRET --help",
    "--SECRET edges",
    "--SECRET",
    "edges --SECRET",
    "secret hash SECRET",
    "policy check SECRET",
    "token inspect SECRET --secret-file s",
    "token inspect t --secret-file SECRET",
    "edges --token-file SECRET",
    "config --token-file SECRET",
  ])("a secret in the wrong place is not repeated: sluice %s", async (line) => {
    for (const secret of [
      "AXQBm3jV53h307TSgB0AF2CSAAcSaOW0zeQIaNFa4qWHuwJC",
      `${"+/Zz".repeat(10)}AAA=`,
      "ab".repeat(32),
    ])
      for (const format of ["-o text", "-o json"]) {
        const ran = await sluice(`${line.replace("SECRET", secret)} ${format}`);
        expect(ran.out + ran.err).not.toContain(secret);
        expect(ran.out + ran.err).not.toBe("");
      }
  });

  it("an empty id is exit code 2, and nothing is sent", async () => {
    expect(await sluice(["session", "show", ""])).toMatchObject({ code: EXIT.usage, out: "" });
  });

  it("a usage failure is JSON with --json", async () => {
    const ran = await sluice("session show --json");
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code: "USAGE", hint: "See: sluice session show --help" } });
  });

  it.each(["-o json", "-ojson", "--output json", "--output=json", "-o json --json"])(
    "%s makes an error JSON too, as --json does",
    async (option) => {
      expect((await sluice(`${option} session show`)).err).toBe((await sluice("session show --json")).err);
    },
  );

  it("options may come before the command", async () => {
    expect((await sluice(`--timeout soon session show ${ID}`)).err).toContain("--timeout: expected a number");
  });
});

describe("help", () => {
  it("a call without a command prints the help to the error stream, with exit code 2", async () => {
    const ran = await sluice("");
    expect(ran).toMatchObject({ code: EXIT.usage, out: "" });
    expect(ran.err).toBe((await sluice("--help")).out);
    expect((await sluice("session")).err).toBe((await sluice("session --help")).out);
  });

  it.each(["", "session", "session revoke"])("-h shows what --help does: %s", async (words) => {
    expect(await sluice(`${words} -h`)).toEqual(await sluice(`${words} --help`));
    expect(await sluice(`${words} -h`)).toMatchObject({ code: EXIT.done, err: "" });
  });

  it("the help of a revocation says where one that is not waited for can be read", async () => {
    expect((await sluice("session revoke --help")).out).toContain("GET /v1/revocations/ID");
  });

  it("the help lists every command", async () => {
    const { code, out } = await sluice("help");
    expect(code).toBe(EXIT.done);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
  });

  it.each(COMMANDS)("the help of $name names all that it takes, an example and the next step", async (command) => {
    const { code, out } = await sluice(`${command.name} --help`);
    expect(code).toBe(EXIT.done);
    expect(out).toBe((await sluice(`help ${command.name}`)).out);
    for (const { name } of command.args) expect(out).toContain(name);
    for (const name of Object.keys({ ...GENERAL_OPTIONS, ...command.options })) expect(out).toContain(`  --${name}`);
    expect(out).toContain(`Example:\n  ./sluice ${command.example}\n`);
    expect(out).toContain(`Next:\n  ${command.next}\n`);
  });

  it.each(COMMANDS)("the example of $name is a command line that works", ({ name, example }) => {
    expectsToBeRead(example, name);
  });
});

it("--version prints the version, and nothing else", async () => {
  expect(await sluice("--version")).toMatchObject({ code: EXIT.done, out: "1.2.3\n", err: "" });
  expect(await sluice("--version --json")).toMatchObject({ code: EXIT.done, out: '{"version":"1.2.3"}\n', err: "" });
});

it("an option is of one kind in every command, so that it may come before the command", () => {
  const kinds = new Map<string, string>();
  for (const { options } of [{ options: GENERAL_OPTIONS }, ...COMMANDS]) {
    for (const [name, { kind }] of Object.entries(options)) {
      const isFlag = kind === "flag" ? "flag" : "value";
      expect(kinds.get(name) ?? isFlag, name).toBe(isFlag);
      kinds.set(name, isFlag);
    }
  }
});

describe("docs/cli.md", () => {
  const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
  const sections = new Map(
    page.split(/^### /m).map((section) => [/^`sluice ([^`]+)`/.exec(section)?.[1] ?? "", section] as const),
  );

  it.each(COMMANDS)("docs/cli.md has a section of $name, with its options and an example", ({ name, options }) => {
    const section = sections.get(name);
    expect(section, `a section "### \`sluice ${name}\`"`).toBeDefined();
    for (const option of Object.keys(options)) expect(section).toContain(`--${option}`);
    expect(section).toContain(`$ ./sluice ${name}`);
  });

  it("docs/cli.md has no section of a command that does not exist", () => {
    expect([...sections.keys()].filter((name) => name !== "")).toEqual(COMMANDS.map(({ name }) => name));
  });

  it("docs/cli.md names every exit code", () => {
    for (const code of Object.values(EXIT)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, "m"));
  });

  it("docs/cli.md names every general option", () => {
    for (const name of Object.keys(GENERAL_OPTIONS)) expect(page).toContain(`--${name}`);
  });

  const lines = [...page.matchAll(/^\$ \.\/sluice ([^|>#\n]+)/gm)].map(([, line]) => line?.trim() ?? "");
  it.each(lines)("a command line of docs/cli.md works: %s", (line) => {
    expectsToBeRead(line);
  });
});

/** That the line names a command and gives it what it takes. */
function expectsToBeRead(line: string, name?: string): void {
  const argv = line.split(/ +/);
  const command = commandOf(wordsOf(argv, COMMANDS), COMMANDS);
  expect(command?.name).toBe(name ?? command?.name ?? "a command");
  expect(command && readArguments(argv, command)).toMatchObject({ ok: true });
}
