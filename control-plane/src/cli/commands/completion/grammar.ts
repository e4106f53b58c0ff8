// What may stand where in a command line, as every shell's script needs it: words, options and the values that are known.
import { GENERAL_OPTIONS } from "../../command.js";
import type { Command, Option } from "../../command.js";
import { EXIT_CODES_TOPIC } from "../../terminal/help.js";

/** What a value is: one of some words, a file, or nothing that a shell can know. */
export type Values = readonly string[] | "file" | "unknown";

export interface Word {
  readonly word: string;
  readonly what: string;
}

export interface OptionWord {
  /** With its dashes: `--plan`, and `-o` where there is a short one. */
  readonly words: readonly string[];
  readonly what: string;
  /** Undefined: it takes none. */
  readonly values: Values | undefined;
}

/** What may follow these words, `session` or `session list`; the empty text is the beginning. */
export interface Place {
  readonly after: string;
  /** Words that come next. */
  readonly words: readonly Word[];
  /** What an argument may be, where a command takes one. */
  readonly args: Values | undefined;
  readonly options: readonly OptionWord[];
}

export interface Grammar {
  readonly places: readonly Place[];
  /** Of all commands: each stands once, and is the same in every command that has it. */
  readonly options: readonly OptionWord[];
}

const FILES = ["FILE", "PATH"];

export function grammarOf(commands: readonly Command[]): Grammar {
  const general = optionWords(GENERAL_OPTIONS);
  const firsts = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))];
  const groups = firsts.filter((first) => commands.some(({ name }) => name.startsWith(`${first} `)));
  const beginning = [...firsts.map((word) => ({ word, what: whatIs(word, commands) })), HELP];
  const topics = [
    ...beginning.filter(({ word }) => word !== "help"),
    { word: EXIT_CODES_TOPIC, what: "the exit codes" },
  ];
  const places = [
    { after: "", words: beginning, args: undefined, options: [...general, VERSION] },
    { after: "help", words: topics, args: undefined, options: [] },
    ...groups.flatMap((group) => {
      const words = wordsOf(group, commands);
      return ["", "help "].map((before) => ({ after: before + group, words, args: undefined, options: [] }));
    }),
    ...commands.map(({ name, args, options }) => ({
      after: name,
      words: [],
      args: args[0] && valuesOf(args[0].name, args[0].values),
      options: [...optionWords(options), ...general],
    })),
  ];
  const options = new Map(places.flatMap((place) => place.options).map((option) => [option.words[0], option]));
  return { places, options: [...options.values()] };
}

const HELP: Word = { word: "help", what: "show what a command takes" };
const VERSION: OptionWord = { words: ["--version"], what: "print the version", values: undefined };

const wordsOf = (group: string, commands: readonly Command[]): Word[] =>
  commands.flatMap(({ name, summary }) =>
    name.startsWith(`${group} `) ? [{ word: name.slice(group.length + 1), what: summary }] : [],
  );

function whatIs(word: string, commands: readonly Command[]): string {
  const command = commands.find(({ name }) => name === word);
  return (
    command?.summary ??
    wordsOf(word, commands)
      .map((one) => one.word)
      .join(", ")
  );
}

const optionWords = (options: Readonly<Record<string, Option>>): OptionWord[] =>
  Object.entries(options).map(([name, { kind, what, value = "", values, short }]) => ({
    words: [`--${name}`, ...(short === undefined ? [] : [`-${short}`])],
    what,
    values: kind === "flag" ? undefined : valuesOf(value, values),
  }));

function valuesOf(name: string, values: readonly string[] | undefined): Values {
  if (values !== undefined) return values;
  return FILES.includes(name) ? "file" : "unknown";
}

/** The options that take a value, in shell patterns: so that a value is not taken for a word. */
export const valuedWords = ({ options }: Grammar): string[] =>
  options.flatMap(({ words, values }) => (values === undefined ? [] : words));

/** In single quotes of bash and zsh. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
