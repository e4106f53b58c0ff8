// The help: what there is, what a command takes, an example of it, and what one does next.
import { GENERAL_OPTIONS } from "../command.js";
import type { Command, Option } from "../command.js";

const EXITS =
  "0 done, 1 not done or not found, 2 usage, 3 unreachable, 4 not allowed, 5 unavailable, 6 not confirmed (docs/cli.md)";

export function generalHelp(commands: readonly Command[]): string {
  return lines([
    "sluice: sessions, edges and policies of a Sluice installation, over the control plane's API",
    "",
    "Usage: sluice COMMAND [arguments] [options]",
    "",
    ...summaries(commands),
    "",
    "sluice COMMAND --help shows what a command takes, an example of it, and what comes next.",
    "sluice --version prints the version.",
    "",
    "Environment:",
    ...columns([
      ["SLUICE_URL", "where the control plane is (http://127.0.0.1:8080)"],
      ["SLUICE_ADMIN_TOKEN", "the admin token, if not --token-file FILE; of several with commas, the first"],
      ["SLUICE_ADMIN_TOKEN_FILE", "or a file that holds it, as the control plane takes it"],
      ["SLUICE_TLS_CA_FILE", "for https: the authority to trust instead of the system's, in PEM"],
      ["SLUICE_CLIENT_CERT_FILE", "for https: a client certificate, in PEM"],
      ["SLUICE_CLIENT_KEY_FILE", "for https: its key, in PEM"],
      ["NO_COLOR", "no colours on a terminal either"],
    ]),
    "",
    "First steps, beside npm start:",
    "  ./sluice --token-file .sluice/admin-token session create --user ada --org analytical",
    "  ./sluice --token-file .sluice/admin-token session list",
    "",
    `Exit codes: ${EXITS}`,
  ]);
}

/** Of commands that share their first word. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  return lines([
    `Usage: sluice ${word} COMMAND`,
    "",
    ...summaries(commands),
    "",
    `sluice ${word} COMMAND --help shows more.`,
  ]);
}

export function commandHelp(command: Command): string {
  const { name, summary, args, options, notes = [], example, next } = command;
  return lines([
    `sluice ${name}: ${summary}`,
    "",
    `Usage: ${usageLine(command)}`,
    ...section(
      "Arguments:",
      args.map((one) => [one.name, one.what]),
    ),
    ...section("Options:", Object.entries(options).map(described)),
    ...section("General options:", Object.entries(GENERAL_OPTIONS).map(described)),
    ...(notes.length === 0 ? [] : ["", ...notes]),
    "",
    "Example:",
    `  ./sluice ${example}`,
    "",
    "Next:",
    `  ${next}`,
  ]);
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

const summaries = (commands: readonly Command[]): string[] =>
  columns(commands.map(({ name, summary }) => [name, summary]));

const section = (title: string, rows: [string, string][]): string[] =>
  rows.length === 0 ? [] : ["", title, ...columns(rows)];

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

const lines = (all: readonly string[]): string => `${all.join("\n")}\n`;
