// The command that prints what a shell needs to complete this program's command lines, made of the table of commands.
import type { Command, LocalCommand } from "../../command.js";
import { bashScript } from "./bash.js";
import { fishScript } from "./fish.js";
import { grammarOf } from "./grammar.js";
import type { Grammar } from "./grammar.js";
import { zshScript } from "./zsh.js";

const SCRIPTS: Readonly<Record<string, (grammar: Grammar) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** @param commands all of them, this one among them */
export const completionOf = (commands: () => readonly Command[]): LocalCommand => ({
  name: "completion",
  summary: "print what a shell needs to complete commands, options and their values",
  args: [{ name: "SHELL", what: "bash, zsh or fish", values: Object.keys(SCRIPTS) }],
  options: {},
  notes: [
    'Asks no control plane. bash: eval "$(sluice completion bash)" in ~/.bashrc.',
    "zsh: sluice completion zsh > FOLDER/_sluice, for a FOLDER of your fpath.",
    "fish: sluice completion fish > ~/.config/fish/completions/sluice.fish.",
    "After an update of sluice, write the file again.",
  ],
  example: "completion bash",
  next: "type sluice and press Tab",
  runLocally: ({ args: [shell = ""], io }) => {
    io.out(SCRIPTS[shell]?.(grammarOf(commands())) ?? "");
    return Promise.resolve(undefined);
  },
});
