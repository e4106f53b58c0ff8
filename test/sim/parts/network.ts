// The network between edges and control plane: calls are carried, lost, doubled, late, and answered in any order.
import { saidOf } from "./said.js";
import type { SimEdge } from "./sim-edge.js";
import type { Call } from "./sim-worker.js";
import type { World } from "./world.js";

export class Network {
  constructor(private readonly world: World) {}

  canMove(edge: SimEdge, call: Call): boolean {
    return !call.sent || ((call.answer !== undefined || this.#isLate(call)) && !edge.isBusy(call.worker));
  }

  /** One way of a call. True: an answer reached its worker. */
  move(edge: SimEdge, call: Call): boolean {
    if (call.sent) return this.#bringBack(edge, call);
    const { world } = this;
    call.sent = true;
    if (world.isCutOff(edge) || this.#isLost()) return false;
    this.#ask(edge, call);
    if (!world.isCalm && world.random.chance(world.faultProfile.doubled)) this.#ask(edge, call);
    return false;
  }

  /** Calls that are out break off: their connections are reset, or they run into their timeouts. */
  breakOff(chanceOfReset: number): void {
    for (const edge of this.world.edges) {
      for (const call of edge.calls) {
        if (!call.sent || call.answer !== undefined) continue;
        if (this.world.random.chance(chanceOfReset)) call.answer = { status: 503, body: "" };
      }
    }
  }

  #ask(edge: SimEdge, call: Call): void {
    const { world } = this;
    const { json, gone } = call;
    if (world.isPlaneAway) {
      call.answer = { status: 503, body: "no healthy upstream" };
      return;
    }
    const { retiring } = world;
    const plane = retiring !== undefined && world.random.chance(0.4) ? retiring : world.plane;
    world.note(`asked ${pathOf(call)} ${JSON.stringify(json)}`);
    const askedAtMs = world.time.nowMs;
    void plane.handle(pathOf(call), json, gone.signal).then((answer) => {
      for (const { session, state } of saidOf(call, answer))
        if (state === "live") world.idleness.acquired(session, askedAtMs);
      const { instance, worker } = json as { instance: string; worker?: string };
      if (worker !== undefined && answer.status === 200 && plane === world.plane)
        world.idleness.workerReported(instance, worker);
      // The answer of a process that died meanwhile does not arrive; another may be lost on its way.
      if (world.isReachable(plane) && !world.isCutOff(edge) && !this.#isLost()) call.answer ??= answer;
    });
  }

  #bringBack(edge: SimEdge, call: Call): boolean {
    const { answer } = call;
    const from = `${edge.life.edge}/${call.worker} ${pathOf(call)}`;
    // Where a worker slept, both its timer and the answer are there, and either may come first.
    if (answer !== undefined && (!this.#isLate(call) || this.world.random.chance(0.5))) {
      this.world.note(`${from} ${answer.status} ${answer.headers ? JSON.stringify(answer.headers) : answer.body}`);
      edge.deliver(call, answer);
      return true;
    }
    this.world.note(`${from} timed out`);
    call.gone.abort();
    edge.deliver(call, { status: 504, body: "upstream request timeout" });
    return false;
  }

  #isLate({ deadlineMs }: Call): boolean {
    return this.world.time.nowMs >= deadlineMs;
  }

  #isLost(): boolean {
    return !this.world.isCalm && this.world.random.chance(this.world.faultProfile.lost);
  }
}

export function pathOf({ callout }: Call): string {
  return callout.headers.get(":path") ?? "";
}
