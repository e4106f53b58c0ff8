// One edge that says what a test lets it say, for tests of what an operator sees of edges.
import { edgesPage } from "../../src/app/edges/status/edge-pages.js";
import type { EdgeView } from "../../src/app/edges/status/edge-views.js";
import { GONE_AFTER_MS } from "../../src/app/edges/status/workers.js";
import type { WorkerPolicy } from "../../src/app/ports/edge-ports.js";
import { INSTANCE } from "./control-plane.js";
import { nobodyHangsUp, POLICY, request, settled, watchingMemory } from "./watching.js";

/** Twice the reportInterval of the policy of tests, 5 s, and 10 s. */
export const WINDOW_MS = 20_000;
export const REPORT_MS = 5_000;

/** An edge `gw-1` that says what a test lets it say. Generation 1 has been in force for as long as anyone looks back. */
export function oneEdge() {
  const scene = watchingMemory();
  const { watches, instances, policies, clock, timers, log } = scene;
  clock.advance(10 * GONE_AFTER_MS);
  const view = async (): Promise<EdgeView | undefined> =>
    (await edgesPage({ instances, policies, log, clock }, "", 1)).edges[0];
  const state = async (): Promise<string | undefined> => (await view())?.state;
  let saidLast: Parameters<typeof request>[0];
  const says = async (fields: Parameters<typeof request>[0] = {}): Promise<void> => {
    saidLast = fields;
    void watches.watch(request(fields), nobodyHangsUp());
    await settled();
  };
  /** What is in force, as a worker that runs it says. */
  const inForce = (): WorkerPolicy => {
    const { generation = 0, hash } = policies.published("gw-1") ?? {};
    return { source: "control-plane", generation, hash };
  };
  const reports = (worker: string, policy: WorkerPolicy | undefined = inForce(), instance = INSTANCE): void => {
    instances.reported(
      { edge: "gw-1", instance },
      { worker, more: false, arrivedAtMs: clock.monotonicMs(), build: "b".repeat(16), policy },
    );
  };
  const save = (generation: number): void => {
    const [plan] = POLICY.plans;
    policies.put({ generation, policy: { ...POLICY, plans: plan === undefined ? [] : [{ ...plan, id: generation }] } });
  };
  /** Time in which these workers report each 5 s, and the watch is held anew. */
  const pass = async (ms: number, ...workers: string[]): Promise<void> => {
    for (let passed = 0; passed < ms; passed += REPORT_MS) {
      timers.advance(REPORT_MS);
      for (const worker of workers) reports(worker);
      await says(saidLast);
    }
  };
  return { ...scene, view, state, says, reports, inForce, save, pass };
}
