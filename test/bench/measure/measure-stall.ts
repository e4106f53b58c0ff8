// How long a worker stands still while it takes a policy of 1,000 plans: a light probe, beside the same probe without a
// change of the policy.
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../../scripts/failure.js";
import { MeasuredPlane, measuredPolicy } from "./measured-plane.js";
import { probedDuring } from "./probe.js";
import type { PropagationStack } from "./propagation-stack.js";

const PLANS = 1000;
const TURN_MS = 20_000;
/** There and back, so that a machine that grows busier does so for both. */
const TURNS = ["quiet", "changing", "changing", "quiet"] as const;
const EVERY_MS = 1000;

export async function measureStalls(running: PropagationStack): Promise<void> {
  const plane = new MeasuredPlane(running);
  const [edge] = running.edges;
  if (edge === undefined) throw new Failure("there is no edge to probe");
  const token = await plane.token();
  plane.save(measuredPolicy(PLANS, 0));
  await delay(2 * EVERY_MS);
  const times: Record<(typeof TURNS)[number], number[]> = { quiet: [], changing: [] };
  let changes = 0;
  for (const turn of TURNS) {
    const change =
      turn === "changing"
        ? () => {
            plane.save(measuredPolicy(PLANS, ++changes));
          }
        : undefined;
    times[turn].push(...(await probed(new URL(edge.url).port, token, change)));
  }
  console.log(`\n| a probe each 2 ms on one worker | answers | p50 ms | p99 ms | p99.9 ms | p99.99 ms | max ms |`);
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  row("without a change", times.quiet);
  row(`${changes} changes of a policy of ${PLANS} plans, one a second`, times.changing);
}

/** The milliseconds of each answer in one turn. */
function probed(port: string, token: string, change: (() => void) | undefined): Promise<number[]> {
  return probedDuring(Number(port), token, async () => {
    const endMs = performance.now() + TURN_MS;
    while (performance.now() < endMs) {
      change?.();
      await delay(EVERY_MS);
    }
  });
}

function row(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(2);
  console.log(`| ${[what, sorted.length, ...[0.5, 0.99, 0.999, 0.9999, 1].map(at)].join(" | ")} |`);
}
