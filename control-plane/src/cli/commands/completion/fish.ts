// The completion of fish: a line for each word and option, each with the place where it may stand.
import { valuedWords } from "./grammar.js";
import type { Grammar, OptionWord, Place, Values, Word } from "./grammar.js";

export function fishScript(grammar: Grammar): string {
  return `# Completion of sluice for fish: sluice completion fish > ~/.config/fish/completions/sluice.fish
function __sluice_after
    # The words that are no options, and no values of options.
    set -l after
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${valuedWords(grammar).map(quoted).join(" ")}
                set skip 1
            case '-*'
            case '*'
                set -a after $word
        end
    end
    string join ' ' -- $after
end
function __sluice_at
    test (__sluice_after | string collect --allow-empty) = "$argv[1]"
end
function __sluice_behind
    __sluice_after | string match -qr "^$argv[1]( |\\$)"
end
complete -c sluice -f
${grammar.places.flatMap(placeLines).join("\n")}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function placeLines({ after, words, args, options }: Place): string[] {
  // Behind a command come its arguments, however many.
  const isCommand = words.length === 0;
  const where = `-n ${quoted(`${isCommand ? "__sluice_behind" : "__sluice_at"} ${quoted(after)}`)}`;
  return [
    ...words.map(({ word, what }: Word) => `complete -c sluice ${where} -a ${word} -d ${quoted(what)}`),
    ...(args === undefined || args === "unknown" ? [] : [`complete -c sluice ${where} ${argument(args)}`]),
    ...options.map((option) => `complete -c sluice ${where} ${optionLine(option)}`),
  ];
}

const argument = (values: Values): string => (values === "file" ? "-F" : `-a ${quoted(listed(values))}`);

function optionLine({ words, what, values }: OptionWord): string {
  const names = words.map((word) => (word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`));
  return [...names, ...valueArguments(values), `-d ${quoted(what)}`].join(" ");
}

function valueArguments(values: Values | undefined): string[] {
  if (values === undefined) return [];
  if (values === "file") return ["-r", "-F"];
  return values === "unknown" ? ["-x"] : ["-x", `-a ${quoted(listed(values))}`];
}

const listed = (values: Values): string => (typeof values === "string" ? "" : values.join(" "));
