// The program: from a command line to an exit code. Everything it touches is passed in.
import { asksForJson, commandOf, readArguments, unknownOption, wordsOf } from "./arguments.js";
import { withClient } from "./client/with-client.js";
import { GENERAL_OPTIONS } from "./command.js";
import type { Command, Given, Invocation } from "./command.js";
import { COMMANDS } from "./commands.js";
import { secretReading } from "./client/secret-reading.js";
import { done, EXIT, EXIT_CODES, usageFailure } from "./failure.js";
import type { ExitCode, Failure } from "./failure.js";
import { commandHelp, EXIT_CODES_TOPIC, exitCodesHelp, generalHelp, groupHelp } from "./terminal/help.js";
import type { Environment } from "../settings/environment.js";
import type { Io } from "./terminal/io.js";
import { Output } from "./terminal/output.js";
import { shownOption, shownWords } from "./terminal/shown-words.js";
import { visible, visibleJson } from "./terminal/visible.js";

/** @param argv what follows the program's name */
export async function runProgram(argv: readonly string[], env: Environment, io: Io): Promise<ExitCode> {
  const json = asksForJson(argv, COMMANDS);
  const words = wordsOf(argv, COMMANDS);
  const asksForHelp = argv.includes("--help") || argv.includes("-h") || words[0] === "help";
  const named = words[0] === "help" ? words.slice(1) : words;
  const command = commandOf(named, COMMANDS);
  if (!asksForHelp && command === undefined) {
    if (words.length === 0 && argv.includes("--version")) return printVersion(json, io);
    const unknown = unknownOption(argv, COMMANDS);
    if (unknown !== undefined) return report(noOption(unknown), json, io);
  }
  if (asksForHelp || command === undefined) {
    return withoutCommand(named, command, asksForHelp, json, { ...io, width: widthOf(env, io) });
  }
  const given = readArguments(argv, command);
  const failure = given.ok ? await run(command, given.value, env, io) : given.failure;
  if (failure === undefined) return EXIT.done;
  return report(failure, json, io);
}

function printVersion(json: boolean, io: Io): ExitCode {
  const version = io.version();
  io.out(`${json ? visibleJson({ version }) : version}\n`);
  return EXIT.done;
}

function noOption(option: string): Failure {
  const general = Object.keys(GENERAL_OPTIONS).map((name) => `--${name}`);
  return usageFailure(
    `there is no option ${shownOption(option)}`,
    `Every command takes ${general.join(", ")}; sluice COMMAND --help shows its own`,
  );
}

function withoutCommand(
  words: readonly string[],
  command: Command | undefined,
  asksForHelp: boolean,
  json: boolean,
  io: Io & { readonly width: number },
): ExitCode {
  const [first] = words;
  if (asksForHelp && first === EXIT_CODES_TOPIC && words.length === 1) {
    if (json) for (const one of EXIT_CODES) io.out(`${visibleJson(one)}\n`);
    else io.out(exitCodesHelp(io.width));
    return EXIT.done;
  }
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first ?? ""} `));
  const isGroup = first !== undefined && group.length > 0;
  if (command === undefined && first !== undefined && !(isGroup && words.length === 1)) {
    const names = (isGroup ? group : COMMANDS).map(({ name }) => name).join(", ");
    return report(
      usageFailure(`there is no command ${shownWords(words.slice(0, 2))}`, `There are: ${names}`),
      json,
      io,
    );
  }
  const { width } = io;
  const general = isGroup ? groupHelp(first, group, width) : generalHelp(COMMANDS, width);
  const help = command === undefined ? general : commandHelp(command, width);
  (asksForHelp ? io.out : io.err)(help);
  return asksForHelp ? EXIT.done : EXIT.usage;
}

/** COLUMNS, where it is given, as every program of a terminal has it. Infinity: the output is no terminal. */
function widthOf({ COLUMNS: given = "" }: Environment, io: Pick<Io, "isTerminal" | "columns">): number {
  if (!io.isTerminal) return Infinity;
  return /^[1-9]\d{0,4}$/.test(given) ? Number(given) : io.columns();
}

async function run(command: Command, given: Given, env: Environment, io: Io): Promise<Failure | undefined> {
  const coloured = io.isTerminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  const json = given.flag("json") || given.text("output") === "json";
  const output = new Output(io, json, coloured, widthOf(env, io));
  const invocation: Invocation = { ...given, io: { ...io, ...secretReading(io, output) }, env, output };
  if ("runLocally" in command) return command.runLocally(invocation);
  const ran = await withClient(invocation, async (client) => done(await command.run(invocation, client)));
  return ran.ok ? ran.value : ran.failure;
}

/** Says on the error stream what went wrong, so that the output holds results only. */
function report(failure: Failure, json: boolean, io: Io): ExitCode {
  const { exit, code, message, field, hint } = failure;
  if (json) {
    io.err(`${visibleJson({ error: { code, message, field, hint } })}\n`);
    return exit;
  }
  const at = field === undefined || message.startsWith(`${field} `) ? "" : ` (field ${field})`;
  io.err(`sluice: ${visible(code === "USAGE" ? message : `${code}: ${message}${at}`)}\n`);
  if (hint !== undefined) io.err(`${visible(hint)}\n`);
  return exit;
}
