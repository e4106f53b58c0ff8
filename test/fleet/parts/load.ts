// The clients: what each lane's sessions want is sent to the Envoys when it is due, whatever became of what was sent before.
import { setTimeout as delay } from "node:timers/promises";

import { Demand, type SessionDemand } from "../figures/demand.js";
import type { Ledger } from "../figures/ledger.js";
import type { Door } from "./door.js";
import { NAME_HEADER } from "./service.js";

const EACH_MS = 2;
/** After the last request, for the answers that are still to come. */
const ANSWERS_MS = 2000;

/** One way to the service, with sessions of its own. */
export interface Lane {
  readonly name: string;
  readonly sessions: readonly SessionDemand[];
  /** Of the sessions, in their order. */
  readonly tokens: readonly string[];
  /** By Envoy. */
  readonly doors: readonly Door[];
  readonly ledger: Ledger;
}

export class Load {
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly lanes: readonly Lane[]) {}

  /** What the service says: that it has this request. */
  served(name: string, atMs: number): void {
    const [lane = "", number] = name.split(" ");
    this.lanes.find((one) => one.name === lane)?.ledger.served(Number(number), atMs);
  }

  /**
   * Resolves when it has sent for so long and may end, or was told to stop, and what was sent is answered or lost.
   */
  async run(ms: number, stop: AbortSignal, mayEnd: () => boolean = () => true): Promise<void> {
    const demands = this.lanes.map(({ sessions }) => new Demand(sessions));
    const beganMs = performance.now();
    let turn = 0;
    for (let atMs = 0; (atMs < ms || !mayEnd()) && !stop.aborted; atMs = performance.now() - beganMs) {
      // Another one first each time: who is sent last waits for the others.
      turn++;
      for (let nth = 0; nth < this.lanes.length; nth++) this.sendDue((nth + turn) % this.lanes.length, demands, atMs);
      await delay(EACH_MS);
    }
    const answered = Promise.allSettled(this.underWay);
    await Promise.race([answered, delay(stop.aborted ? 0 : ANSWERS_MS)]);
  }

  private sendDue(nth: number, demands: readonly Demand[], atMs: number): void {
    const lane = this.lanes[nth];
    if (lane === undefined) return;
    for (const { session, edge } of demands[nth]?.dueBy(atMs) ?? []) this.send(lane, session, edge);
  }

  /** Where the Envoy takes no more, the request is not made. */
  private send({ name, doors, ledger, tokens }: Lane, session: number, edge: number): void {
    const door = doors[edge];
    if (door?.takes !== true) return;
    const number = ledger.sent(session, edge, performance.now());
    const headers = { "x-session-id": tokens[session], [NAME_HEADER]: `${name} ${number}` };
    const answer = door.ask(headers).then((status) => {
      ledger.answered(number, status, performance.now());
      this.underWay.delete(answer);
    });
    this.underWay.add(answer);
  }
}
