// The lanes of a run beside each other, with what each of them called.
import type { Section } from "../../bench/stand/section.js";
import type { Figures } from "../figures/figures.js";
import type { Calls } from "../figures/lines.js";
import { BARE, COUNTER, SLUICE, SLUICE_EACH } from "../lanes.js";
import type { Lane } from "../parts/load.js";
import { type ComparedLane, comparedSection } from "./compared.js";

interface CalledOfLane {
  readonly what: string;
  readonly calls: number;
  readonly waits: number;
}

/** @param calls of the Envoys @param counted calls of the counter */
export function comparisonOf(
  lanes: readonly Lane[],
  figuresFor: (lane: Lane) => Figures,
  calls: Calls,
  counted: number,
): Section | undefined {
  const asked = lanes.find(({ name }) => name === COUNTER)?.ledger.entries.length ?? 0;
  const called: Readonly<Record<string, CalledOfLane>> = {
    [SLUICE]: { what: "Sluice, one budget over the Envoys", calls: calls.all, waits: calls.waits },
    // Nobody leases there, and nobody else does.
    [SLUICE_EACH]: { what: "Sluice, a budget for each Envoy", calls: calls.all - calls.lease, waits: 0 },
    [COUNTER]: { what: "a counter in the store, a call a request", calls: counted, waits: asked },
    [BARE]: { what: "no limiter", calls: 0, waits: 0 },
  };
  const compared = lanes.map((lane): ComparedLane => {
    const { name, ledger } = lane;
    const { what, ...rest } = called[name] ?? { what: name, calls: 0, waits: 0 };
    return { what, figure: name, entries: ledger.entries, figures: figuresFor(lane), ...rest, limited: name !== BARE };
  });
  const without = compared.find(({ limited }) => !limited);
  if (without === undefined) return undefined;
  return comparedSection(
    without,
    compared.filter((one) => one !== without),
  );
}
