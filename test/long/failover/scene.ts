// Two control planes over one store, an edge at each of them, and clients of both, through whatever a case does to them.
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

const LOST = "sluice_control_store_commits_lost_total";
const KINDS = ["201", "204", "202", "report", "consume", "acquire live", "acquire revoked"];
/** Of each kind, before a fault and after it. */
const ENOUGH = 3;
const ENOUGH_WITHIN_MS = 60_000;
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
    await this.more(ENOUGH);
    await fault();
    await Promise.all(planes.map((plane) => plane.ready()));
    await this.more(ENOUGH);
    await traffic.stop();
    await heard(() => {
      expect(edges.map((edge) => edge.isSettled())).toEqual([true, true]);
    });
    const untrue = await untruths(recorder, a);
    expect(await untruths(recorder, b)).toEqual(untrue);
    // A revocation that was lost is among what is not true.
    const isLost = (id: string): boolean => untrue.some((sentence) => sentence.includes(id));
    await heard(() => {
      expect(edges.flatMap((edge) => edge.unheard()).filter((id) => !isLost(id))).toEqual([]);
    });
    for (const edge of edges) await edge.stop();
    console.log(
      JSON.stringify({ ...Object.fromEntries(recorder.counts), longestBreakMs: Math.round(recorder.longestBreakMs) }),
    );
    return { untrue, edges };
  }

  /** Resolves once so many more of each kind have been acknowledged. */
  async more(count: number, kinds: readonly string[] = KINDS): Promise<void> {
    const acknowledged = (kind: string): number => this.recorder.counts.get(kind) ?? 0;
    const wanted = kinds.map((kind) => [kind, acknowledged(kind) + count] as const);
    await vi.waitFor(
      () => {
        for (const [kind, least] of wanted) expect(acknowledged(kind), kind).toBeGreaterThanOrEqual(least);
      },
      { timeout: ENOUGH_WITHIN_MS, interval: 20 },
    );
  }

  /** Of acknowledged commits, as both control planes count them. */
  async commitsLost(): Promise<number> {
    const values = await Promise.all(this.planes.map((plane) => plane.metric(LOST)));
    return values.reduce((sum, value) => sum + value, 0);
  }
}

const heard = (condition: () => void): Promise<void> =>
  vi.waitFor(condition, { timeout: HEARD_WITHIN_MS, interval: 50 });
