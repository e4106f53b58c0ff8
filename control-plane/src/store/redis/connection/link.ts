// The link to the store: it is made anew whenever it ends, wherever the primary is then. What it cannot do is said.
import type { Timers } from "../../../app/ports/log-ports.js";
import type { Logger, Random } from "../../../app/ports/ports.js";
import { StoreUnwritable } from "../../../app/ports/store-health.js";
import type { RedisAddress } from "../../store-address.js";
import { connectLife } from "./life.js";
import type { Life } from "./life.js";
import { saidPlainly } from "./reply-errors.js";
import { storeIn } from "./store-name.js";
import type { StoreLife } from "./store-name.js";

/** Between two tries, doubled from the first to the last. */
const RETRY_MS = { first: 50, last: 1000 };

export interface Linked extends StoreLife {
  readonly life: Life;
}

export interface LinkParts {
  readonly address: RedisAddress;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  /** Of each link, as soon as it can be used. */
  readonly linked: (now: Linked) => void;
  /** The same once it can be used for writes too. */
  readonly begun: (now: Linked) => void;
  /** Another process may have written to the log. */
  readonly woken: () => void;
  /** Why there is no link, each time that another reason is found. */
  readonly waits?: ((why: string) => void) | undefined;
}

export class Link {
  private now: Linked | undefined;
  private why = "it is being connected to";
  private store: string | undefined;
  private attempt = 0;
  private cancelRetry = (): void => undefined;
  private isClosed = false;
  private whenFirst = (): void => undefined;

  constructor(private readonly parts: LinkParts) {}

  /** Why there is none now, for the operator; undefined while there is. */
  reason(): string | undefined {
    return this.now === undefined ? `${this.parts.address.shown}: ${this.why}` : undefined;
  }

  /** @throws StoreUnwritable where there is none now */
  get(): Linked {
    if (this.now === undefined) throw new StoreUnwritable(this.reason());
    return this.now;
  }

  /** The same for writes. @throws StoreUnwritable also where the store's log has not begun in this life */
  getBegun(): Linked {
    const now = this.get();
    if (now.notBegun !== undefined) throw new StoreUnwritable(now.notBegun);
    return now;
  }

  /** Why what there is can only be used for reads; undefined also where there is none. */
  notBegun(): string | undefined {
    return this.now?.notBegun;
  }

  /** Tries again what keeps the store's log from beginning. To be called each second. */
  async begin(): Promise<void> {
    const { now } = this;
    if (now?.notBegun === undefined) return;
    try {
      const found = await storeIn(now.life, now.store, this.parts.random);
      if (this.now !== now) return;
      this.now = { life: now.life, ...found };
      if (found.notBegun === undefined) this.parts.begun(this.now);
    } catch (error) {
      this.over(now.life, saidPlainly(error));
    }
  }

  /** Begins. Resolves once there is a link, however long that takes. */
  start(): Promise<void> {
    void this.connect();
    return new Promise((resolve) => {
      this.whenFirst = resolve;
    });
  }

  /** What was seen of this life is its end, for this process: it is looked for anew. */
  over(life: Life, why: string): void {
    if (this.now?.life !== life) return;
    life.end();
    this.lost(why);
  }

  close(): void {
    this.isClosed = true;
    this.cancelRetry();
    this.now?.life.end();
    this.now = undefined;
    this.why = "it is closed";
  }

  private async connect(): Promise<void> {
    let life: Life | undefined;
    let ended: Error | undefined;
    const { address, timers, random, woken } = this.parts;
    try {
      const onEnd = (why: Error): void => {
        ended = why;
        if (life !== undefined) this.over(life, saidPlainly(why));
      };
      life = await connectLife({ address, timers, woken, ended: onEnd }, this.attempt);
      const found = await storeIn(life, this.store, random);
      if (ended !== undefined) throw ended;
      if (this.isClosed) life.end();
      else this.has({ life, ...found });
    } catch (error) {
      life?.end();
      this.failed(saidPlainly(error));
    }
  }

  private has(now: Linked): void {
    const { logger, linked, begun, address } = this.parts;
    const { at, info } = now.life;
    this.store = now.store;
    this.attempt = 0;
    this.now = now;
    linked(now);
    if (now.notBegun === undefined) begun(now);
    const fields = { event: "store-linked", store: address.shown, at: `${at.host}:${at.port}`, version: info.version };
    logger.info(fields, "the store answers");
    this.whenFirst();
  }

  private lost(why: string): void {
    this.now = undefined;
    this.parts.logger.warn(
      { event: "store-link-lost", reason: why },
      "the store does not answer: it is looked for anew",
    );
    this.failed(why);
  }

  private failed(why: string): void {
    if (this.isClosed) return;
    if (why !== this.why) {
      const fields = { event: "store-unreachable", store: this.parts.address.shown, reason: why };
      this.parts.logger.error(fields, "the store cannot be used");
      this.parts.waits?.(why);
    }
    this.why = why;
    const waitMs = Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** Math.min(this.attempt, 10));
    this.attempt += 1;
    this.cancelRetry = this.parts.timers.after(waitMs, () => void this.connect());
  }
}
