// What a run found, as text: how many mutants were noticed, and each survivor as the list of equivalents would name it.
import type { JudgedMutant } from "./mutant.js";

export function reportLines(
  part: string,
  seed: number,
  judged: readonly JudgedMutant[],
  lost: readonly JudgedMutant[],
) {
  const count = (fate: JudgedMutant["fate"]): number => judged.filter((one) => one.fate === fate).length;
  const tried = judged.length - count("not built");
  const equivalent = count("survived") - lost.length;
  const noticed = count("noticed") + count("timed out");
  return [
    `${part}, seed ${seed}: ${tried} mutants, ${noticed} noticed, ${equivalent} equivalent, ${lost.length} survived`,
    ...lost.map(survivorText),
  ];
}

function survivorText({ file, line, source, original, replacement }: JudgedMutant): string {
  return `${file}:${line}\n  ${JSON.stringify({ file, source, original, replacement })}`;
}
