// Variants of Sluice side by side, each with requests of its own kind: what each adds to the bare listener.
import { ADDED_COLUMNS, addedRow, ratioRows, ratiosByName, type AddedRatio } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { h2load, requireAll } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import type { Section } from "../stand/section.js";
import type { Variant } from "../stand/variants.js";

export interface Run {
  readonly variant: Variant;
  readonly path?: string;
  /** The request's headers that carry the token; `x-session-id` unless given. */
  readonly headers?: (token: string) => readonly string[];
}

export interface Comparison {
  readonly name: string;
  readonly title: string;
  /** What a request is, beside what all comparisons have in common. */
  readonly method: string;
  /** The first is the bare listener. */
  readonly runs: readonly Run[];
  readonly ratios: readonly AddedRatio[];
  /** The port of a service over HTTP/2 behind all listeners; each answers by itself unless given. */
  readonly service?: number;
}

export async function compare(part: Part, comparison: Comparison): Promise<Section[]> {
  const { name, title, method, runs, ratios, service } = comparison;
  const variants = runs.map(({ variant }) => variant);
  return withInstallation(part, name, { variants, service }, async (installation) => {
    const size = part.quick ? { requests: 8_000, rounds: 6 } : { requests: 20_000, rounds: 24 };
    part.say(`${name}: ${runs.length} runs, ${size.rounds} rounds of ${size.requests} requests`);
    const token = await installation.issue("plenty");
    const turns = runs.map(({ variant, path, headers }): Turn => {
      const load = async (): Promise<number> => {
        const way = { path, headers: headers?.(token) };
        const counts = await h2load(installation.portOf(variant.name), size.requests, token, way);
        requireAll(variant.name, counts, "2xx", size.requests);
        return size.requests;
      };
      return { name: variant.name, load };
    });
    const rounds = await inTurns(turns, size.rounds, () => cpuTimeNs(installation.envoyPid));
    const section: Section = {
      title,
      method:
        `CPU that a request adds to the bare listener: ${size.rounds} rounds of ${size.requests} requests a variant, ` +
        `h2load over HTTP/2. ${method}`,
      columns: ADDED_COLUMNS,
      rows: [
        ...variants
          .slice(1)
          .map((variant) => addedRow(rounds, variant.name, "bare", `${variant.name}: ${variant.what}`)),
        ...ratioRows(rounds, ratios),
      ],
      ratios: ratiosByName(rounds, ratios),
    };
    return [section];
  });
}
