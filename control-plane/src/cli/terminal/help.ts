// The help: what there is, what a command takes, an example of it, and what one does next.
import { GENERAL_OPTIONS } from "../command.js";
import type { Command, Option } from "../command.js";
import { EXIT_CODES } from "../failure.js";
import { paragraphs, twoColumns, wrapped } from "./wrapping.js";

/** What `sluice help exit-codes` names. */
export const EXIT_CODES_TOPIC = "exit-codes";

/** @param width of the terminal; Infinity: programs and files get lines as they come */
export function generalHelp(commands: readonly Command[], width: number): string {
  return lines([
    ...wrapped("sluice: sessions, edges and policies of a Sluice installation, over the control plane's API", width),
    "",
    "Usage: sluice COMMAND [arguments] [options]",
    "",
    ...summaries(commands, width),
    "",
    ...wrapped("sluice COMMAND --help shows what a command takes, an example of it, and what comes next.", width),
    `sluice help ${EXIT_CODES_TOPIC} shows the exit codes.`,
    "sluice --version prints the version.",
    "",
    "Environment:",
    ...twoColumns(
      [
        ["SLUICE_URL", "where the control plane is (http://127.0.0.1:8080)"],
        ["SLUICE_ADMIN_TOKEN", "the admin token, if not --token-file FILE; of several with commas, the first"],
        ["SLUICE_ADMIN_TOKEN_FILE", "or a file that holds it, as the control plane takes it"],
        ["SLUICE_TLS_CA_FILE", "for https: the authority to trust instead of the system's, in PEM"],
        ["SLUICE_CLIENT_CERT_FILE", "for https: a client certificate, in PEM"],
        ["SLUICE_CLIENT_KEY_FILE", "for https: its key, in PEM"],
        ["SLUICE_CONFIG", "a file with these settings (~/.config/sluice/config.yaml): sluice config"],
        ["NO_COLOR", "no colours on a terminal either"],
      ],
      width,
    ),
    "",
    "First steps, beside npm start:",
    ...example("--token-file .sluice/admin-token session create --user ada --org analytical", width),
    ...example("--token-file .sluice/admin-token session list", width),
  ]);
}

/** Of commands that share their first word. */
export function groupHelp(word: string, commands: readonly Command[], width: number): string {
  return lines([
    `Usage: sluice ${word} COMMAND`,
    "",
    ...summaries(commands, width),
    "",
    `sluice ${word} COMMAND --help shows more.`,
  ]);
}

export function commandHelp(command: Command, width: number): string {
  const { name, summary, args, options, notes = [], next } = command;
  const section = (title: string, rows: [string, string][]): string[] =>
    rows.length === 0 ? [] : ["", title, ...twoColumns(rows, width)];
  return lines([
    ...wrapped(`sluice ${name}: ${summary}`, width),
    "",
    ...wrapped(`Usage: ${usageLine(command)}`, width),
    ...section(
      "Arguments:",
      args.map((one) => [one.name, one.what]),
    ),
    ...section("Options:", Object.entries(options).map(described)),
    ...section("General options:", Object.entries(GENERAL_OPTIONS).map(described)),
    ...(notes.length === 0 ? [] : ["", ...paragraphs(notes).flatMap((note) => wrapped(note, width))]),
    "",
    "Example:",
    ...example(command.example, width),
    "",
    "Next:",
    ...wrapped(next, width - 2).map((line) => `  ${line}`),
  ]);
}

export function exitCodesHelp(width: number): string {
  const rows = EXIT_CODES.map(({ code, what, act }): [string, string] => [
    String(code),
    act === "" ? what : `${what}: ${act}`,
  ]);
  return lines(["The exit codes of sluice:", "", ...twoColumns(rows, width)]);
}

/** A command line as a shell takes it, continued with a backslash where it is long. */
function example(line: string, width: number): string[] {
  const parts = wrapped(`./sluice ${line}`, width - 4);
  return parts.map((part, i) => `${i === 0 ? "  " : "    "}${part}${i === parts.length - 1 ? "" : " \\"}`);
}

function usageLine({ name, args, options }: Command): string {
  const required = Object.entries(options).filter(([, { required }]) => required === true);
  const words = [
    ...args.map((one) => (one.optional === true ? `[${one.name}]` : one.name) + (one.many === true ? "…" : "")),
    ...required.map(withValue),
    "[options]",
  ];
  return `sluice ${name} ${words.join(" ")}`;
}

const withValue = ([name, { value }]: [string, Option]): string =>
  value === undefined ? `--${name}` : `--${name} ${value}`;

const described = (entry: [string, Option]): [string, string] => [
  withValue(entry),
  entry[1].required === true ? `${entry[1].what}; required` : entry[1].what,
];

const summaries = (commands: readonly Command[], width: number): string[] =>
  twoColumns(
    commands.map(({ name, summary }) => [name, summary]),
    width,
  );

const lines = (all: readonly string[]): string => `${all.join("\n")}\n`;
