// Two control planes over one store, an edge at each of them, and clients of both, through whatever a case does to them.
import { expect, onTestFinished } from "vitest";

import { Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { until } from "../../../control-plane/test/support/until.js";
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
export const CLIENTS = ["201", "204", "202", "200 to a wait", "plan", "consume"];
const EDGES = ["confirmed", "report", "acquire live", "acquire revoked"];
const KINDS = [...CLIENTS, ...EDGES];
/** Of each kind, before a fault and after it. */
const ENOUGH = 3;

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
    await this.knowAll(edges);
    const traffic = new Traffic({ planes, edges, recorder });
    onTestFinished(async () => {
      traffic.abandon();
      await Promise.all(edges.map((edge) => edge.stop()));
    });
    await this.more(ENOUGH);
    await fault();
    await Promise.all(planes.map((plane) => plane.ready()));
    await this.more(ENOUGH);
    await traffic.stop();
    await until(() => {
      expect(edges.map((edge) => edge.isSettled())).toEqual([true, true]);
    });
    const untrue = await untruths(recorder, a);
    expect(await untruths(recorder, b)).toEqual(untrue);
    // A revocation that was lost is among what is not true.
    const isLost = (id: string): boolean => untrue.some((sentence) => sentence.includes(id));
    await until(() => {
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
    await until(() => {
      for (const [kind, least] of wanted) expect(acknowledged(kind), kind).toBeGreaterThanOrEqual(least);
    });
  }

  /** Everything that is wrong where nothing may be: also that something was said to be lost. */
  problems(untrue: readonly string[]): string[] {
    const said = this.lostSaid().map((lost) => `${lost} commits were said to be lost`);
    return [...this.recorder.wrong, ...untrue, ...said];
  }

  /** Of acknowledged commits: each number that a control plane has said. */
  lostSaid(): number[] {
    return this.planes.flatMap((plane) => plane.events("store-lost-commits").map(({ lost }) => Number(lost)));
  }

  /** The same, as both control planes count them. */
  async commitsLost(): Promise<number> {
    const values = await Promise.all(this.planes.map((plane) => plane.metric(LOST)));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Resolves once both control planes count all the edges where somebody waits for them. */
  private async knowAll(edges: readonly SimulatedEdge[]): Promise<void> {
    const names = edges.map(({ name }) => name);
    for (const plane of this.planes)
      await until(async () => {
        const { body } = await plane.operator("GET", "/v1/edges");
        expect((body as { edges: { edge: string }[] }).edges.map(({ edge }) => edge)).toEqual(names);
      });
  }
}
