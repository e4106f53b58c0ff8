// Use case: revoke every session of a user or an organisation. Asked for once, carried out to its end, kills included: by the
// process that was asked, and where that dies by another over the same store.
import type { AuditEvent, BulkRevocation, RevocationFilter } from "../../domain/stored.js";
import { decideBulkRevocation, decideChunk } from "../../domain/decisions/revoke-sessions.js";
import { logAudited } from "../access/audit.js";
import type { Timers } from "../ports/log-ports.js";
import type { Clock, Logger, Meter, Random } from "../ports/ports.js";
import type { BulkRevocationStore } from "../ports/revocation-ports.js";
import type { Updates } from "../ports/update-ports.js";
import type { ClaimedWork, Stopped } from "../upkeep/claimed-work.js";
import { stoppedOr } from "../upkeep/claimed-work.js";
import { logStoreFailure } from "../upkeep/store-keeping.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../domain/session-id.js";

/** Sessions a transaction: a few ms, in which nobody else is served. */
const CHUNK = 200;
/** The store failed: it is tried again after so long. */
const RETRY_MS = 1000;
/** So often it is looked for what others have left. With the time of a claim: how long that lies at most. */
const LOOK_MS = 3000;

export interface BulkRevocationsParts {
  readonly store: BulkRevocationStore;
  readonly updates: Updates;
  readonly claimed: ClaimedWork;
  /** Other processes over the same store may leave some. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** One operation at a time, in the order in which they were asked for. */
export class BulkRevocations {
  private readonly waiting = new Set<string>();
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private cancelRetry: () => void = () => undefined;
  private cancelLook: () => void = () => undefined;
  private looking: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly parts: BulkRevocationsParts) {}

  /** Goes on with what an earlier process left, and from now on with what others over the same store leave. */
  async start(): Promise<void> {
    await this.takeUp();
    this.lookLater();
  }

  private async takeUp(): Promise<void> {
    for (const id of await this.parts.store.unfinished()) this.waiting.add(id);
    this.run();
  }

  private lookLater(): void {
    if (this.stopped || !this.parts.isShared) return;
    this.cancelLook = this.parts.timers.after(LOOK_MS, () => {
      this.looking = this.look();
    });
  }

  private async look(): Promise<void> {
    try {
      await this.takeUp();
    } catch (error) {
      const fields = { event: "sessions-revocation-failed" };
      const message = "revocations that were left could not be looked for: it is tried again";
      logStoreFailure(this.parts.logger, error, fields, message);
    }
    this.lookLater();
  }

  /** Durable when it resolves; carried out from then on. `actor` is the public name of who asked for it. */
  async revoke(filter: RevocationFilter, actor: string): Promise<BulkRevocation> {
    const { clock, logger, random, store, updates } = this.parts;
    const nowMs = clock.nowMs();
    const id = newSessionId(nowMs, random.bytes(SESSION_ID_RANDOM_BYTES));
    const details = { revocationId: id, ...filter };
    const event: AuditEvent = { at: nowMs, actor, action: "sessions-revoked", sessionId: null, details };
    const request = { id, filter, atMs: nowMs, audited: event };
    const { answer, changes } = await updates.update("newestSession", filter, (newest) =>
      decideBulkRevocation(newest, request),
    );
    logAudited(logger, changes);
    // As it is stored: with its place in the log.
    const operation = (await store.find(id)) ?? answer;
    if (operation.finishedAt === null) {
      this.waiting.add(id);
      this.run();
    }
    return operation;
  }

  find(id: string): Promise<BulkRevocation | undefined> {
    return this.parts.store.find(id);
  }

  /** Stops after the chunk under way; another process goes on, or `start` of the next. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelRetry();
    this.cancelLook();
    await Promise.all([this.looking, this.running]);
  }

  private run(): void {
    if (!this.stopped && !this.isRunning) this.running = this.carryOut();
  }

  private async carryOut(): Promise<void> {
    this.isRunning = true;
    try {
      for (const id of this.waiting) {
        await this.parts.claimed.run("bulk-revocation", (lost) => this.expand(id, lost), id);
        if (this.stopped) return;
        // Finished, or another process is at it: where that leaves it, the next look finds it.
        this.waiting.delete(id);
      }
    } catch (error) {
      const fields = { event: "sessions-revocation-failed" };
      const message = "the revocation of sessions failed: it is tried again";
      logStoreFailure(this.parts.logger, error, fields, message);
      this.cancelRetry = this.parts.timers.after(RETRY_MS, () => {
        this.run();
      });
    } finally {
      // In the same turn as the last look at what waits: one that is asked for after it finds that nothing runs.
      this.isRunning = false;
    }
  }

  private async expand(id: string, lost: Stopped): Promise<void> {
    const stopped = stoppedOr(() => this.stopped, lost);
    while (!(await stopped()) && !(await this.step(id)));
  }

  /** Answers whether that was the operation's last chunk. */
  private async step(id: string): Promise<boolean> {
    const { clock, logger, meter, updates } = this.parts;
    const nowMs = clock.nowMs();
    const { answer: chunk } = await updates.update("revocationChunk", { id, limit: CHUNK }, (state) =>
      decideChunk(state, nowMs),
    );
    for (const { createdAt, idleEndedAt } of chunk?.revoked ?? []) {
      // One that had ended for idleness was counted then.
      if (idleEndedAt === undefined) meter.sessionRemoved("revoked", Math.max(0, nowMs - createdAt));
    }
    if (chunk === undefined) return true;
    const { examined, finishedAt, revoked } = chunk.operation;
    if (finishedAt === null) return false;
    const fields = { event: "sessions-revocation-finished", revocationId: id, examined, revoked };
    logger.info(fields, "revocation of sessions finished");
    return true;
  }
}
