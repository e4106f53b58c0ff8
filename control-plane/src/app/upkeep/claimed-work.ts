// Work that one control plane does at a time, of those that share a store: it goes on while the claim on it is this one's.
import type { ClaimOutcome, Claims, ClaimMeter, ClaimedKind } from "../ports/claim-ports.js";
import type { Clock, Logger } from "../ports/ports.js";
import { logStoreFailure } from "./store-keeping.js";

/** A process that dies holds up the others for so long. Some hundred steps of a sweep. */
export const CLAIM_MS = 10_000;
/** Renewed with the first step after that, so that one slow step loses nothing. */
const RENEW_AFTER_MS = 3000;

/** Asked between two steps: true has the work stop there. */
export type Stopped = () => boolean | Promise<boolean>;

export interface ClaimedWorkParts {
  readonly claims: Claims;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly meter: ClaimMeter;
}

export class ClaimedWork {
  constructor(private readonly parts: ClaimedWorkParts) {}

  /**
   * Has the work done if no other process is at it, and resolves once it is at rest. False: it was not begun, for another
   * has it, or the store could not be asked. Rejects as the work does.
   * @param work is to ask `lost` between its steps, and to stop where that is true: another may have taken it up
   * @param which of several of the kind
   */
  async run(kind: ClaimedKind, work: (lost: Stopped) => Promise<unknown>, which?: string): Promise<boolean> {
    const name = which === undefined ? kind : `${kind} ${which}`;
    const outcome = await this.take(kind, name);
    this.parts.meter.claimed(kind, outcome);
    if (outcome !== "taken") return false;
    try {
      await work(this.lost(kind, name));
      return true;
    } finally {
      await this.release(kind, name);
    }
  }

  private async take(kind: ClaimedKind, name: string): Promise<ClaimOutcome> {
    const { claims, logger } = this.parts;
    try {
      if (await claims.take(name, CLAIM_MS)) return "taken";
      logger.debug({ event: "work-elsewhere", work: kind }, "another control plane is at it");
      return "elsewhere";
    } catch (error) {
      const fields = { event: "claim-failed", work: kind };
      logStoreFailure(logger, error, fields, "the store could not be asked who does this work: not this one");
      return "unknown";
    }
  }

  /** Renews the claim where that is due. */
  private lost(kind: ClaimedKind, name: string): () => Promise<boolean> {
    const { clock, logger } = this.parts;
    let takenAtMs = clock.monotonicMs();
    return async () => {
      const nowMs = clock.monotonicMs();
      if (nowMs - takenAtMs < RENEW_AFTER_MS) return false;
      if ((await this.take(kind, name)) !== "taken") {
        logger.warn(
          { event: "claim-lost", work: kind },
          "another control plane may be at it by now: it is left to that",
        );
        return true;
      }
      takenAtMs = nowMs;
      return false;
    };
  }

  /** One that stays lapses by itself. */
  private async release(kind: ClaimedKind, name: string): Promise<void> {
    const { claims, logger } = this.parts;
    try {
      await claims.release(name);
    } catch (error) {
      const fields = { event: "claim-failed", work: kind };
      logStoreFailure(logger, error, fields, "a claim could not be given back: it lapses by itself");
    }
  }
}

/** Either of them. */
export const stoppedOr =
  (isStopped: () => boolean, lost: Stopped): (() => Promise<boolean>) =>
  async () =>
    isStopped() || (await lost());
