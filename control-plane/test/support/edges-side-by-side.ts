// Instances of edges that watch while a test lets time pass, and what an operator sees of them.
import { edgesPage } from "../../src/app/edges/status/edge-pages.js";
import type { EdgePage } from "../../src/app/edges/status/edge-pages.js";
import type { EdgeView } from "../../src/app/edges/status/edge-views.js";
import type { EdgeStatus } from "../../src/app/ports/edge-status-ports.js";
import type { WatchRequest } from "../../src/app/ports/watch-ports.js";
import { nobodyHangsUp, request, settled, watchingMemory } from "./watching.js";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
/** Each instance watches anew so often. */
const STEP_MS = 5_000;

/** One Envoy, as it says with each watch; by default edge `gw-1` with table `default`. */
export const envoy = (instance: string, address?: string, fields: Partial<WatchRequest> = {}): WatchRequest =>
  request({
    instance: instance.repeat(16),
    address,
    table: { name: "default", capacity: 65_536, records: 0 },
    ...fields,
  });

export function sideBySide(known: readonly EdgeStatus[] = []) {
  const scene = watchingMemory(100_000, undefined, known);
  const { watches, instances, policies, clock, timers, log } = scene;
  const page = (): Promise<EdgePage> => edgesPage({ instances, policies, log, clock }, "", 1000);
  const view = async (edge = "gw-1"): Promise<EdgeView | undefined> =>
    (await page()).edges.find((one) => one.edge === edge);
  /** Each watches, and goes on to while this time passes. `said` is asked anew for each watch. */
  const pass = async (ms: number, ...said: (WatchRequest | (() => WatchRequest))[]): Promise<void> => {
    const watchAll = async (): Promise<void> => {
      for (const one of said) void watches.watch(typeof one === "function" ? one() : one, nobodyHangsUp());
      await settled();
    };
    await watchAll();
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      timers.advance(Math.min(STEP_MS, ms - passed));
      await watchAll();
    }
  };
  return { ...scene, page, view, pass };
}
