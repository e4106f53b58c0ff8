// The completion of bash, with nothing that 3.2 lacks, which macOS has. Needs no package of completions.
import { valuedWords } from "./grammar.js";
import type { Grammar, OptionWord, Place, Values } from "./grammar.js";

export function bashScript(grammar: Grammar): string {
  return `# Completion of sluice for bash: eval "$(sluice completion bash)"
_sluice_offer() {
  local one
  while IFS= read -r one; do COMPREPLY+=("$one"); done < <(compgen -P "$prefix" "$@" -- "$cur")
}
_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} prefix= after= word skip= i
  COMPREPLY=()
  # --option=value is three words, unless this shell is old or its user wants it otherwise.
  if [[ $cur == "=" ]]; then cur=
  elif [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $cur == --*=* ]]; then
    prev=\${cur%%=*} cur=\${cur#*=}
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$prev=
  fi
  # The words that are no options, and no values of options.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # What follows belongs to the word before, such as a value or a part of a URL.
    if [[ $word =~ ^[=:]+$ ]]; then skip=1; continue; fi
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      ${valuedWords(grammar).join("|")}) skip=1 ;;
      -*) ;;
      *) after+=" $word" ;;
    esac
  done
  after=\${after# }
  case $prev in
${grammar.options.flatMap(valueCase).join("\n")}
  esac
  case $after in
${placesInOrder(grammar).map(placeCase).join("\n")}
  esac
}
complete -F _sluice sluice
`;
}

const valueCase = ({ words, values }: OptionWord): string[] =>
  values === undefined ? [] : [`    ${words.join("|")}) ${offered(values)}; return ;;`];

function offered(values: Values): string {
  if (values === "unknown") return ":";
  if (values === "file") return "compopt -o filenames 2>/dev/null; _sluice_offer -f";
  return `_sluice_offer -W '${values.join(" ")}'`;
}

/** Longer words first: `session list` before `session`, whose pattern is the beginning of it. */
const placesInOrder = ({ places }: Grammar): Place[] => [...places].sort((a, b) => b.after.length - a.after.length);

function placeCase({ after, words, args, options }: Place): string {
  // Behind a command come its arguments, however many.
  const pattern = words.length === 0 ? `'${after}'|'${after} '*` : `'${after}'`;
  const option = options.flatMap((one) => one.words);
  const others = words.length > 0 ? words.map(({ word }) => word) : (args ?? "unknown");
  return `    ${pattern})
      if [[ $cur == -* ]]; then ${offered(option)}; else ${offered(others)}; fi ;;`;
}
