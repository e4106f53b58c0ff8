// Two control planes over one store, an edge at each of them, and clients of both, through whatever a case does to them.
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, vi } from "vitest";

import { Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { Recorder } from "./recorder.js";
import { SimulatedEdge } from "./simulated-edge.js";
import { POLICY, Traffic } from "./traffic.js";
import { untruths } from "./truths.js";

export interface SceneOptions {
  /** Where each of the control planes looks for the store. */
  readonly stores: readonly [string, string];
  readonly settings?: readonly [Record<string, string>, Record<string, string>];
  /** Edges report all that they have once they begin anew. */
  readonly reportsAgain?: boolean;
}

/** What goes on before and after a fault. */
const AROUND_MS = 2000;
const HEARD_WITHIN_MS = 20_000;

export class Scene {
  readonly recorder = new Recorder();

  private constructor(
    readonly planes: readonly [Plane, Plane],
    private readonly reportsAgain: boolean,
  ) {}

  static async start({ stores, settings = [{}, {}], reportsAgain = false }: SceneOptions): Promise<Scene> {
    const a = await Plane.start(stores[0], settings[0], POLICY);
    const b = await Plane.start(stores[1], settings[1], POLICY);
    return new Scene([a, b], reportsAgain);
  }

  /** What is not true of what was acknowledged while the fault came and went. Every edge has heard of everything then. */
  async through(fault: () => Promise<unknown>): Promise<{ untrue: string[]; edges: readonly SimulatedEdge[] }> {
    const { planes, recorder } = this;
    const [a, b] = planes;
    const edges = [[a, b] as const, [b, a] as const].map(
      (order, at) => new SimulatedEdge(`gw-${at}`, order, recorder, this.reportsAgain),
    );
    for (const edge of edges) edge.start();
    const traffic = new Traffic({ planes, edges, recorder });
    onTestFinished(async () => {
      await Promise.all(edges.map((edge) => edge.stop()));
    });
    await delay(AROUND_MS);
    await fault();
    await Promise.all(planes.map((plane) => plane.ready()));
    await delay(AROUND_MS);
    await traffic.stop();
    const untrue = await untruths(recorder, a);
    expect(await untruths(recorder, b)).toEqual(untrue);
    await vi.waitFor(
      () => {
        expect(edges.flatMap((edge) => edge.unheard())).toEqual([]);
      },
      { timeout: HEARD_WITHIN_MS, interval: 50 },
    );
    for (const edge of edges) await edge.stop();
    console.log(
      JSON.stringify({ ...Object.fromEntries(recorder.counts), longestBreakMs: Math.round(recorder.longestBreakMs) }),
    );
    // As much of each kind went on that it can have gone wrong.
    for (const kind of ["201", "204", "202", "report", "consume", "acquire live", "acquire revoked"])
      expect(recorder.counts.get(kind) ?? 0, kind).toBeGreaterThan(2);
    return { untrue, edges };
  }

  /** A metric of both together. */
  async metric(name: string): Promise<number> {
    const values = await Promise.all(this.planes.map((plane) => plane.metric(name)));
    return values.reduce((sum, value) => sum + value, 0);
  }
}
