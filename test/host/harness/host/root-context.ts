// A root context: one configuration in one VM, with the streams that began under it and its callouts.
import type { Callout, CalloutAnswer } from "./callouts.js";
import type { Stream } from "./stream.js";

export class RootContext {
  readonly kind = "root";
  tickPeriodMs = 0;
  /** Another configuration took over: it goes when its last stream has gone. */
  retired = false;
  readonly streams = new Set<Stream>();
  readonly callouts = new Map<number, Callout>();
  /** What the running callout callback may read. */
  answer: CalloutAnswer | undefined;

  constructor(
    readonly id: number,
    readonly configuration: Uint8Array,
  ) {}

  get root(): this {
    return this;
  }
}
