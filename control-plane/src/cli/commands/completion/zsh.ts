// The completion of zsh: by its own functions _describe and _files, so that it looks as its user has set it.
import { quoted, valuedWords } from "./grammar.js";
import type { Grammar, OptionWord, Place, Values, Word } from "./grammar.js";

export function zshScript(grammar: Grammar): string {
  const byLength = [...grammar.places].sort((a, b) => b.after.length - a.after.length);
  return `#compdef sluice
# Completion of sluice for zsh: sluice completion zsh > FOLDER/_sluice, for a FOLDER of your fpath
_sluice() {
  local after= word skip= i prev=\${words[CURRENT-1]}
  local -a found
  # The words that are no options, and no values of options.
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      (${valuedWords(grammar).join("|")}) skip=1 ;;
      (-*) ;;
      (*) after+=" $word" ;;
    esac
  done
  after=\${after# }
  if [[ \${words[CURRENT]} == --*=* ]]; then
    prev=\${words[CURRENT]%%=*}
    compset -P 1 '*='
  fi
  case $prev in
${grammar.options.flatMap(valueCase).join("\n")}
  esac
  case $after in
${byLength.map(placeCase).join("\n")}
  esac
}
# Run by zsh as a file of fpath, or read with source.
if [[ \${funcstack[1]} == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

const valueCase = ({ words, values }: OptionWord): string[] =>
  values === undefined ? [] : [`    (${words.join("|")}) ${offered(values)}; return ;;`];

function offered(values: Values): string {
  if (values === "unknown") return ":";
  if (values === "file") return "_files";
  return `found=(${values.map(quoted).join(" ")}); _describe value found`;
}

const described = (tag: string, words: readonly Word[]): string =>
  `found=(${words.map(({ word, what }) => quoted(`${word}:${what}`)).join(" ")}); _describe ${tag} found`;

function placeCase({ after, words, args, options }: Place): string {
  const pattern = words.length === 0 ? `${quoted(after)}|${quoted(`${after} `)}*` : quoted(after);
  const option = options.flatMap((one) => one.words.map((word) => ({ word, what: one.what })));
  const others = words.length > 0 ? described("command", words) : offered(args ?? "unknown");
  return `    (${pattern})
      if [[ \${words[CURRENT]} == -* ]]; then ${described("option", option)}; else ${others}; fi ;;`;
}
