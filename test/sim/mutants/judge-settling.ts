// Judges a mutant of the rules of settling: the filter that settles is compiled without the rule, in memory, and the
// interleavings of settlements run on it until one finds what is wrong.
import { smallBuild } from "../../host/harness/settle/settle-builds.js";
import { SettleRun } from "../../host/harness/settle/settle-run.js";
import { settleSessions } from "../../host/harness/settle/settle-sessions.js";
import { mutatedFiles, type Mutation } from "./mutation.js";

/** The seed that found it and what it found. Undefined: none did. */
export async function judgedBySettlements(
  mutation: Mutation,
  runs: number,
  read: (file: string) => string,
): Promise<readonly [seed: string, finding: string] | undefined> {
  const build = await smallBuild(mutatedFiles(mutation, read));
  const sessions = settleSessions();
  for (let seed = 1; seed <= runs; seed++) {
    const finding = findingOf(new SettleRun(seed, build, sessions));
    if (finding !== undefined) return [String(seed), finding];
  }
  return undefined;
}

/** A filter without a rule may also do what no host lets it do. */
function findingOf(run: SettleRun): string | undefined {
  try {
    return run.finding();
  } catch (error) {
    return String(error);
  }
}
