// Whether the control plane takes requests now, and if not, why.
import type { Timers } from "../../app/ports/log-ports.js";
import type { CurrentPolicy, SessionStore } from "../../app/ports/ports.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import { ERRORS } from "../errors.js";
import type { ErrorCode, ErrorDetail } from "../errors.js";

export interface ReadinessPorts {
  readonly store: Pick<SessionStore, "position">;
  readonly health: Pick<StoreHealth, "unwritable">;
  readonly policies: CurrentPolicy;
}

export type NotReady = readonly [code: Extract<ErrorCode, "NOT_READY" | "NO_POLICY">, detail?: ErrorDetail];

/** A supervisor's probe waits 1 s for its answer, as Kubernetes has it by default. */
const STORE_ANSWERS_MS = 500;
const TOO_SLOW = `it takes longer than ${STORE_ANSWERS_MS} ms`;

type StoreAnswer = "answered" | "failed" | "slow";

/** Known from the start of the process to its end: at the two ends it takes no requests. */
export class Readiness {
  private ports: ReadinessPorts | undefined;
  private why = "The control plane is starting";

  constructor(private readonly timers: Timers) {}

  /** What the start waits for, such as "the store is being opened". */
  startsWith(step: string): void {
    this.why = `The control plane is starting: ${step}`;
  }

  started(ports: ReadinessPorts): void {
    this.ports = ports;
  }

  stopping(): void {
    this.ports = undefined;
    this.why = "The control plane is stopping";
  }

  /** Undefined: it takes requests. */
  async denial(): Promise<NotReady | undefined> {
    const { ports } = this;
    if (ports === undefined) return notReady(this.why);
    if (ports.policies.current() === undefined) return ["NO_POLICY"];
    const answer = await this.asked(ports.store);
    // It may have begun to stop meanwhile.
    if (this.ports === undefined) return notReady(this.why);
    const unwritable = ports.health.unwritable();
    if (answer !== "answered") {
      const why = unwritable ?? (answer === "slow" ? TOO_SLOW : undefined);
      return notReady(`The store does not answer${why === undefined ? "" : `: ${why}`}`);
    }
    return unwritable === undefined ? undefined : notReady(`The store cannot be written: ${unwritable}`);
  }

  /** The same in words. */
  async reason(): Promise<string | undefined> {
    const denial = await this.denial();
    return denial && (denial[1]?.message ?? ERRORS[denial[0]].message);
  }

  private asked(store: ReadinessPorts["store"]): Promise<StoreAnswer> {
    return new Promise((resolve) => {
      const cancel = this.timers.after(STORE_ANSWERS_MS, () => {
        resolve("slow");
      });
      const become = (answer: StoreAnswer) => (): void => {
        cancel();
        resolve(answer);
      };
      // A store that has given up may throw in place of a rejection.
      const position = async (): Promise<unknown> => store.position();
      position().then(become("answered"), become("failed"));
    });
  }
}

const notReady = (message: string): NotReady => ["NOT_READY", { message }];
