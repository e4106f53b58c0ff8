// What the streams of a run do: they are sent, their answers come whole, in pieces, from Envoy or not at all, and they end.
import type { Edge } from "../scenes/edge.js";
import { headersOf } from "../scenes/routed-requests.js";
import { EVENT_HEADERS } from "../scenes/settling.js";
import { run, type Steps } from "../host/guest.js";
import type { Random } from "../host/random.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "../scenes/tokens.js";
import type { Vm } from "../host/vm.js";
import type { Ledger } from "./settle-ledger.js";
import type { Path } from "./settle-policies.js";
import { sentBy, type Sent } from "./settle-requests.js";

const OK = { ":status": "200" };
/** No request can have cost this, or none of these buckets holds it. */
const EXTREMES = ["4294967295", "4294967295.5", "5000000000", "-1", "300", "0"];

export class SettleStreams {
  /** Clients that have left while their request waited. */
  readonly #left = new Set<Sent>();

  constructor(
    private readonly edge: Edge,
    private readonly ledger: Ledger,
    private readonly random: Random,
    /** Whether most requests cost more than they reserved, so that sessions come to owe. */
    private readonly overdraws: boolean,
  ) {}

  *send(worker: number, session: Session, path: Path): Steps<void> {
    const vm = this.edge.worker(worker);
    const sent = sentBy(vm, session, path);
    this.ledger.sent.push(sent);
    this.ledger.begin(vm, "request", sent);
    sent.stream = yield* vm.openSteps(headersOf({ path, session }));
    this.ledger.end(vm);
  }

  /** Something becomes of one of the worker's streams. */
  *goOn(worker: number): Steps<void> {
    const vm = this.edge.worker(worker);
    // What has said its cost mostly goes on.
    const ends = this.random.chance(0.3);
    const going = this.#goingOn(vm).filter(({ isDone }) => ends || !isDone);
    // The newest, mostly: of some it takes long.
    const sent = this.random.chance(0.7) ? going.at(-1) : going[0];
    if (sent?.stream === undefined) return;
    if (sent.stream.paused) {
      if (this.random.chance(0.2)) this.#leave(sent, sent.stream);
      return;
    }
    const steps = sent.path === "/events" ? this.#events(sent, sent.stream) : this.#answer(sent, sent.stream);
    yield* this.#during(sent, steps);
  }

  /** All that are under way end, but for those that wait. */
  *finish(worker: number): Steps<void> {
    for (const sent of this.#goingOn(this.edge.worker(worker))) {
      if (sent.stream?.paused !== false) continue;
      sent.isDone = true;
      yield* this.#during(sent, sent.stream.abandonSteps());
    }
  }

  #goingOn(vm: Vm): Sent[] {
    return this.ledger.sent.filter((sent) => sent.vm === vm && isUnderWay(sent) && !this.#left.has(sent));
  }

  /** A client leaves in the turn of the answer that lets its request through: Envoy has told of the end before. */
  #leave(sent: Sent, stream: Stream): void {
    this.#left.add(sent);
    this.ledger.begin(sent.vm, "settle", sent);
    run(sent.vm.enter(stream, "proxy_on_delete", stream.id));
    this.ledger.end(sent.vm);
  }

  /** After a turn of the worker. */
  forgetThoseThatLeft(vm: Vm): void {
    for (const sent of this.#left) {
      if (sent.vm !== vm || sent.stream?.paused === true) continue;
      if (sent.stream?.state === "upstream") vm.vanish(sent.stream);
      this.#left.delete(sent);
      Object.assign(sent, { isDone: true, mayPass: false });
    }
  }

  *#during(sent: Sent, steps: Steps<void>): Steps<void> {
    this.ledger.begin(sent.vm, "settle", sent);
    yield* steps;
    this.ledger.end(sent.vm);
  }

  #answer(sent: Sent, stream: Stream): Steps<void> {
    sent.isDone = true;
    const chance = this.random.fraction();
    if (stream.state === "streaming" || chance < 0.1) return stream.abandonSteps();
    if (chance < 0.2) {
      // Envoy's own, whatever it says.
      stream.attributes.set("response.code_details", "upstream_response_timeout");
      return stream.respondSteps({ ...OK, "x-cost": "1" });
    }
    sent.said = this.#value(sent);
    const headers = { ...OK, "x-cost": sent.said };
    return chance < 0.4 ? stream.beginResponseSteps(headers) : stream.respondSteps(headers);
  }

  #events(sent: Sent, stream: Stream): Steps<void> {
    if (stream.state === "upstream" && this.random.chance(0.9)) return stream.beginResponseSteps(EVENT_HEADERS);
    if (stream.state === "upstream" || this.random.chance(0.4)) {
      sent.isDone = true;
      return stream.abandonSteps();
    }
    sent.said = this.#value(sent);
    return stream.sendPieceSteps(Buffer.from(`data: {"cost": ${sent.said}}\n\n`));
  }

  /** Mostly less than was reserved. */
  #value({ reserved }: Sent): string {
    const most = (reserved?.tokens ?? 4) + 1;
    const chance = this.random.fraction();
    if (this.overdraws && chance < 0.6) return this.random.pick(["300", String(most + this.random.below(20))]);
    if (chance < 0.7) return String(this.random.below(most));
    if (chance < 0.82) return `${this.random.below(most)}.${1 + this.random.below(9)}`;
    return chance < 0.93 ? String(most + this.random.below(20)) : this.random.pick(EXTREMES);
  }
}

function isUnderWay({ stream, isDone }: Sent): boolean {
  if (stream?.state === "streaming") return true;
  // One that was let through and is done has vanished.
  return !isDone && (stream?.state === "paused" || stream?.state === "upstream");
}
