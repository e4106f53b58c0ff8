// HTTP calls that a filter made, waiting for the test to answer them as a control plane or the network would.
import { HostError } from "./abi.js";
import { run, type Steps } from "./guest.js";
import { HeaderMap, type HeaderInput } from "./header-map.js";
import type { RootContext } from "./root-context.js";
import type { Vm } from "./vm.js";

export interface CalloutAnswer {
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
}

export class Callout {
  state: "pending" | "answered" | "cancelled" = "pending";

  constructor(
    readonly vm: Vm,
    readonly root: RootContext,
    readonly token: number,
    readonly cluster: string,
    readonly headers: HeaderMap,
    readonly body: Uint8Array,
    readonly timeoutMs: number,
  ) {}

  /** The body that was sent, parsed. */
  get json(): unknown {
    return JSON.parse(Buffer.from(this.body).toString()) as unknown;
  }

  answer(status: number, body: string | Uint8Array = "", headers: HeaderInput = {}): void {
    run(this.answerSteps(status, body, headers));
  }

  answerSteps(status: number, body: string | Uint8Array = "", headers: HeaderInput = {}): Steps<void> {
    const map = new HeaderMap(headers);
    map.add(":status", String(status));
    return this.#settle({ headers: map, body: Buffer.from(body) });
  }

  /** Envoy reports a timeout as a 504 of its own, with a text as body. */
  timeOut(): void {
    this.answer(504, "upstream request timeout");
  }

  /** The control plane's port is closed: Envoy's own 503. */
  refuse(): void {
    this.answer(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
  }

  /** The connection broke in the middle of the answer: a callback without headers and body. */
  reset(): void {
    run(this.#settle({ headers: new HeaderMap(), body: new Uint8Array() }));
  }

  #settle(answer: CalloutAnswer): Steps<void> {
    if (this.state !== "pending") throw new HostError(`this callout is ${this.state}`);
    this.state = "answered";
    return this.vm.deliverSteps(this, answer);
  }
}
