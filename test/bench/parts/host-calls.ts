// What single host calls cost, and what alternatives to them would save.
import { addedNs, differences, spreadOf, type Rounds } from "./differences.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { h2load, requireAll } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { us, type Section } from "../stand/section.js";
import { callbackVariants, hostCallVariants, type Variant } from "../stand/variants.js";

/** How often test/filters/bench-host-calls.ts makes its call in a request. */
const TIMES = 10;
/** How often a filter stands in its listener's chain, to see what one more callback costs. */
const COPIES = 10;
/** These add headers once, by two ways. */
const HEADERS = ["headersProbe", "state"];

export async function hostCalls(part: Part): Promise<Section[]> {
  const entered = callbackVariants(part.filterPath, COPIES);
  const variants = [...hostCallVariants(part.filterPath), ...entered];
  return withInstallation(part, "host-calls", { variants }, async (installation) => {
    const size = part.quick ? { requests: 4_000, rounds: 3 } : { requests: 10_000, rounds: 12 };
    part.say(`single host calls: ${variants.length} runs, ${size.rounds} rounds of ${size.requests} requests`);
    const token = await installation.issue("plenty");
    const turns = variants.map(({ name }): Turn => {
      const load = async (): Promise<number> => {
        const counts = await h2load(installation.portOf(name), size.requests, token);
        requireAll(name, counts, "2xx", size.requests);
        return size.requests;
      };
      return { name, load };
    });
    const rounds = await inTurns(turns, size.rounds, () => cpuTimeNs(installation.envoyPid));
    const made = hostCallVariants(part.filterPath);
    const calls = made.filter(({ name }) => !["bare", "noop", ...HEADERS].includes(name));
    const headers = made.filter(({ name }) => HEADERS.includes(name));
    return [
      {
        title: "What a host call costs",
        method: `A filter that makes it ${TIMES} times a request, less one that makes none, ÷ ${TIMES}.`,
        columns: ["call", "µs", "quartiles"],
        rows: calls.map(({ name, what }) => {
          const { median, lowerQuartile, upperQuartile } = spreadOf(differences(rounds, name, "noop"));
          return [what, us(median / TIMES), `${us(lowerQuartile / TIMES)} … ${us(upperQuartile / TIMES)}`];
        }),
        figures: Object.fromEntries(
          calls.map(({ name }) => [`call.${name}Ns`, addedNs(rounds, [name], "noop") / TIMES]),
        ),
      },
      {
        title: "Two ways to two response headers",
        method:
          "Added to a listener without a filter; the second has a request callback, as every limiter has, so that is taken off.",
        columns: ["way", "added µs"],
        rows: headers.map(({ name, what }) => [what, us(addedNs(rounds, [name], name === "state" ? "noop" : "bare"))]),
        figures: {
          "headers.byCallbackNs": addedNs(rounds, ["headersProbe"], "bare"),
          "headers.byFilterStateNs": addedNs(rounds, ["state"], "noop"),
        },
      },
      callbackSection(rounds, entered),
    ];
  });
}

/** What it costs each stream that a further callback is exported, beside those of the full build. */
function callbackSection(rounds: Rounds, variants: readonly Variant[]): Section {
  const further = variants.slice(1);
  const added = (name: string): number[] => differences(rounds, name, "callbacks").map((ns) => ns / COPIES);
  return {
    title: "What a further callback costs",
    method:
      `A filter that returns at once in it and in the four of the full build, ${COPIES} times in the chain, less one ` +
      `with those four, ÷ ${COPIES}.`,
    columns: ["callback", "added µs", "quartiles"],
    rows: further.map(({ name, what }) => {
      const { median, lowerQuartile, upperQuartile } = spreadOf(added(name));
      return [what, us(median), `${us(lowerQuartile)} … ${us(upperQuartile)}`];
    }),
    figures: Object.fromEntries(further.map(({ name }) => [`callback.${name}Ns`, spreadOf(added(name)).median])),
  };
}
