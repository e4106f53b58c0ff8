// The command line: which command it names, and what is given to it.
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

import { GENERAL_OPTIONS } from "./command.js";
import type { Command, Given, Option, Options } from "./command.js";
import { done, failed, usageFailure } from "./failure.js";
import type { Outcome } from "./failure.js";
import { shownOption } from "./terminal/shown-words.js";

const MAX_NUMBER = 1_000_000;
/** What somebody tries who has a token in their hand. */
const TOKEN_OPTIONS = ["token", "admin-token"];
const FOR_TOKENS = Object.fromEntries(TOKEN_OPTIONS.map((name) => [name, { type: "string" } as const]));

/** The words that are no options, wherever they stand: the command's, then its arguments. */
export const wordsOf = (argv: readonly string[], commands: readonly Command[]): string[] =>
  parseLoosely(argv, commands).positionals;

/** The first option that no command has, as it stands there: what follows it may be its value and no command. */
export function unknownOption(argv: readonly string[], commands: readonly Command[]): string | undefined {
  const known = optionsOfAll(commands);
  const { tokens } = parseLoosely(argv, commands);
  const unknown = tokens.find((token) => token.kind === "option" && !Object.hasOwn(known, token.name));
  return unknown?.kind === "option" ? unknown.rawName : undefined;
}

/** Whether programs read what is printed: known also where the command line cannot be used. */
export function asksForJson(argv: readonly string[], commands: readonly Command[]): boolean {
  const { json, output } = parseLoosely(argv, commands).values;
  return json !== undefined || output === "json";
}

const optionsOfAll = (commands: readonly Command[]): Options =>
  Object.assign({}, GENERAL_OPTIONS, ...commands.map(({ options }) => options)) as Options;

function parseLoosely(argv: readonly string[], commands: readonly Command[]) {
  const options = { ...forParser(optionsOfAll(commands)), ...FOR_TOKENS };
  return parseArgs({ args: [...argv], options, allowPositionals: true, strict: false, tokens: true });
}

/** The command that the words begin with; of two, the one with the longer name. */
export function commandOf(words: readonly string[], commands: readonly Command[]): Command | undefined {
  const named = commands.filter(({ name }) => name.split(" ").every((word, i) => words[i] === word));
  return named.sort((a, b) => b.name.length - a.name.length)[0];
}

/** What is given to the command. A usage failure never repeats a value: it may be a secret in the wrong argument. */
export function readArguments(argv: readonly string[], command: Command): Outcome<Given> {
  const options: Options = { ...GENERAL_OPTIONS, ...command.options };
  const parsed = parse(argv, options);
  if (typeof parsed === "string") return wrong(parsed, command);
  const args = parsed.positionals.slice(command.name.split(" ").length);
  const violation =
    TOKEN_OPTIONS.reduce<string | undefined>((found, name) => found ?? tokenViolation(name, parsed.names), undefined) ??
    argumentViolation(args, command) ??
    optionViolation(parsed.names, parsed.values, options);
  if (violation !== undefined) return wrong(violation, command);
  const { values } = parsed;
  return done({
    args,
    text: (name) => values[name] as string | undefined,
    number: (name) => (values[name] === undefined ? undefined : Number(values[name])),
    flag: (name) => values[name] === true,
  });
}

interface Parsed {
  readonly positionals: string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** Of the options, as often as they stand there. */
  readonly names: string[];
}

/** A text is what is wrong. */
function parse(argv: readonly string[], options: Options): Parsed | string {
  try {
    const known = { ...forParser(options), ...FOR_TOKENS };
    const parsed = parseArgs({ args: [...argv], options: known, allowPositionals: true, tokens: true });
    const names = parsed.tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
    return { positionals: parsed.positionals, values: parsed.values, names };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [said = ""] = error.message.replaceAll("\n", " ").split(". To specify");
    return said.replace(/^Unknown option '(.*)'$/, (_, option: string) => `Unknown option '${shownOption(option)}'`);
  }
}

const forParser = (options: Options): NonNullable<ParseArgsConfig["options"]> =>
  Object.fromEntries(
    Object.entries(options).map(([name, { kind, short }]) => [
      name,
      { type: kind === "flag" ? "boolean" : "string", ...(short !== undefined && { short }) },
    ]),
  );

const wrong = (violation: string, { name }: Command): ReturnType<typeof failed> =>
  failed(usageFailure(violation, `See: sluice ${name} --help`));

function tokenViolation(name: string, given: readonly string[]): string | undefined {
  if (!given.includes(name)) return undefined;
  return `there is no option --${name}: a token on the command line is seen by everyone on this machine; use SLUICE_ADMIN_TOKEN or --token-file`;
}

function argumentViolation(args: readonly string[], command: Command): string | undefined {
  const missing = command.args.find(({ optional }, i) => optional !== true && args[i] === undefined);
  if (missing !== undefined) return `${missing.name} is missing: ${missing.what}`;
  if (args.includes("")) return "an argument is empty";
  for (const [i, { name, values }] of command.args.entries()) {
    const value = args[i];
    if (value !== undefined && values?.includes(value) === false) return `${name}: expected ${oneOf(values)}`;
  }
  const takesMany = command.args.at(-1)?.many === true;
  if (args.length > command.args.length && !takesMany) {
    return `too many arguments: ${command.args.length} expected, ${args.length} given`;
  }
  return undefined;
}

function optionViolation(names: readonly string[], values: Parsed["values"], options: Options): string | undefined {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `--${twice} is given twice`;
  for (const [name, option] of Object.entries(options)) {
    const value = values[name];
    if (value === undefined && option.required === true) return `--${name} is missing: ${option.what}`;
    if (value === "") return `--${name} is empty`;
    const violation = typeof value === "string" ? valueViolation(value, option) : undefined;
    if (violation !== undefined) return `--${name}: ${violation}`;
  }
  if (values.json === true && values.output === "text") return "--json and --output text exclude each other";
  return undefined;
}

function valueViolation(value: string, option: Option): string | undefined {
  if (option.values?.includes(value) === false) return `expected ${oneOf(option.values)}`;
  return numberViolation(value, option);
}

const oneOf = (values: readonly string[]): string =>
  values.length === 2 ? values.join(" or ") : `one of ${values.join(", ")}`;

function numberViolation(value: string, { kind, least = 1, most = MAX_NUMBER }: Option): string | undefined {
  if (kind !== "count" && kind !== "seconds") return undefined;
  const form = kind === "count" ? /^\d{1,16}$/ : /^\d{1,16}(?:\.\d{1,3})?$/;
  const isWithin = form.test(value) && Number(value) >= least && Number(value) <= most;
  return isWithin ? undefined : `expected a ${kind === "count" ? "whole number" : "number"} from ${least} to ${most}`;
}
