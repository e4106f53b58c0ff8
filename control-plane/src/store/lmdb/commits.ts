// Every commit of the store. Where one has failed none is tried until a probe succeeds: each is rejected at once.
import type { Database, RootDatabase } from "lmdb";

import type { Timers } from "../../app/ports/log-ports.js";
import { StoreUnwritable } from "../../app/ports/store-health.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import { messageOf } from "../../domain/message-of.js";
import type { StoreFile } from "./store-file.js";
import type { WriteProbe } from "./write-probe.js";

/** A commit that has not ended after so many looks, one a second, is given up on: the disk hangs, or LMDB does. */
const LOOKS_UNTIL_OVERDUE = 30;
/** The time between two probes doubles up to so many looks, where commits fail again soon after a probe succeeded. */
const MAX_LOOKS_APART = 16;
const SOON_LOOKS = 60;

/** A write whose commit has not ended. */
interface Pending {
  readonly reject: (reason: unknown) => void;
}

export interface CommitsParts {
  readonly env: Pick<RootDatabase, "transaction" | "committed" | "on">;
  readonly meta: Pick<Database<unknown, string>, "get" | "put">;
  readonly file: Pick<StoreFile, "lost">;
  readonly probe: WriteProbe;
}

export class Commits implements StoreHealth {
  private readonly pending = new Set<Pending>();
  private oldest: { readonly pending: Pending | undefined; readonly looks: number } = { pending: undefined, looks: 0 };
  private lost: string | undefined;
  private failure: string | undefined;
  private isOver = false;
  /** A disk that hangs keeps a try for ever: no look awaits it, and there is one at a time. */
  private isTrying = false;
  /** LMDB has given up, and the disk takes writes again. */
  private isReplaceable = false;
  private whenIdle = (): void => undefined;
  /** Of looks: until the next probe, between two of them, and since the last that succeeded. */
  private readonly looks = { toNext: 0, apart: 1, sinceSuccess: SOON_LOOKS };

  constructor(private readonly parts: CommitsParts) {
    const { env, file } = parts;
    // Before the writers of that commit learn of it.
    env.on("aftercommit", () => {
      this.lost = file.lost();
    });
    // Of each batch the library makes a promise that it gives to nobody: once it has begun, this is the one.
    env.on("beforecommit", () => {
      queueMicrotask(() => void env.committed.then(undefined, hasRejected));
    });
  }

  /** Resolves once what `write` has put is durable. Rejects with StoreUnwritable where that failed or is not known. */
  async run<Answer>(write: () => Answer): Promise<Answer> {
    const why = this.reason();
    if (why !== undefined) throw new StoreUnwritable(why);
    const answer = await this.commit(write);
    if (this.lost !== undefined) throw new StoreUnwritable(this.lost);
    return answer;
  }

  isAtDisk(): boolean {
    return this.isOver || this.isTrying || this.pending.size > 0;
  }

  /** Whether no thread is at the disk any more, after at most that time: closing the environment waits for it. */
  async idle(timers: Timers, withinMs: number): Promise<boolean> {
    if (this.failure !== undefined) this.noteWhetherOver();
    if (this.isOver || !this.isAtDisk()) return !this.isOver;
    return new Promise((resolve) => {
      const cancel = timers.after(withinMs, () => {
        resolve(false);
      });
      this.whenIdle = () => {
        cancel();
        resolve(true);
      };
    });
  }

  unwritable(): string | undefined {
    this.lost = this.parts.file.lost();
    return this.reason();
  }

  look(): "on" | "over" {
    this.lost = this.parts.file.lost();
    this.giveUpOnOverdue();
    this.looks.sinceSuccess += 1;
    if (this.failure === undefined || this.lost !== undefined) return "on";
    if (this.isReplaceable) return "over";
    this.looks.toNext -= 1;
    if (this.looks.toNext > 0 || this.isTrying) return "on";
    this.looks.toNext = this.looks.apart;
    this.noteWhetherOver();
    void this.tryDisk();
    return "on";
  }

  private async tryDisk(): Promise<void> {
    this.isTrying = true;
    if (await this.parts.probe.succeeds()) {
      if (this.isOver) this.isReplaceable = true;
      else if (this.pending.size === 0) await this.probeStore();
    }
    this.isTrying = false;
    this.noteIdle();
  }

  private noteIdle(): void {
    if (!this.isAtDisk()) this.whenIdle();
  }

  private reason(): string | undefined {
    return this.lost ?? this.failure;
  }

  private commit<Answer>(write: () => Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const pending = { reject };
      this.pending.add(pending);
      this.parts.env.transaction(write).then(
        (answer) => {
          this.ended(pending);
          resolve(answer);
        },
        async (error: unknown) => {
          const reason = isFailedCommit(error) ? await this.failed(error) : error;
          this.ended(pending);
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        },
      );
    });
  }

  private ended(pending: Pending): void {
    this.pending.delete(pending);
    this.noteIdle();
  }

  private async failed({ commitError }: FailedCommit): Promise<StoreUnwritable> {
    const isFirst = this.failure === undefined;
    this.failure ??= "a commit failed";
    if (isFirst) this.rest(this.looks.sinceSuccess < SOON_LOOKS ? this.looks.apart * 2 : 1);
    const cause = await commitError.catch(messageOf);
    if (isFirst) this.failure = `a commit failed: ${cause}; ${await this.parts.probe.room()}`;
    return new StoreUnwritable(this.failure);
  }

  /** No probe for so many looks. */
  private rest(looks: number): void {
    this.looks.toNext = this.looks.apart = Math.min(MAX_LOOKS_APART, looks);
  }

  /** A commit that ends after all ends this too. */
  private giveUpOnOverdue(): void {
    const [pending] = this.pending;
    this.oldest = { pending, looks: pending === this.oldest.pending ? this.oldest.looks + 1 : 0 };
    if (pending === undefined || this.oldest.looks < LOOKS_UNTIL_OVERDUE) return;
    this.failure ??= `a commit has not ended for ${LOOKS_UNTIL_OVERDUE} s`;
    this.rejectPending(this.failure);
  }

  private rejectPending(why: string): void {
    for (const { reject } of this.pending) reject(new StoreUnwritable(why));
  }

  /** A meta page that could not be written ends LMDB's environment: then reads fail too. */
  private noteWhetherOver(): void {
    try {
      this.parts.meta.get("schema");
    } catch (error) {
      this.isOver = true;
      this.failure = `LMDB has given up: ${messageOf(error)}`;
      this.rejectPending(this.failure);
    }
  }

  private async probeStore(): Promise<void> {
    const { meta } = this.parts;
    const committed = this.commit(() => void meta.put("probed", true));
    const succeeded = await committed.then(
      () => true,
      () => false,
    );
    if (!succeeded) {
      this.rest(this.looks.apart * 2);
      return;
    }
    this.failure = undefined;
    this.looks.sinceSuccess = 0;
  }
}

interface FailedCommit extends Error {
  /** Rejects with what happened. */
  readonly commitError: Promise<never>;
}

const isFailedCommit = (error: unknown): error is FailedCommit => error instanceof Error && "commitError" in error;

/** Both promises are told of elsewhere, and neither may end the process. */
function hasRejected(error: unknown): void {
  if (isFailedCommit(error)) error.commitError.catch(() => undefined);
}
