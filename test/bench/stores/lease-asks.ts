// What Envoys ask of fleet budgets: lease calls about as many sessions as a call takes, from a few instances.
import { PATH_LEASE } from "../../../assembly/contract.js";
import { Failure } from "../../../scripts/failure.js";
import { Random } from "../../host/harness/host/random.js";
import { requestText } from "../control-plane/http1-load.js";
import type { Load } from "../control-plane/http1-load.js";
import type { Bench } from "./bench.js";
import { EDGE, instanceOf } from "./fill.js";

export const ASKS_OF_CALL = 256;
export const INSTANCES = 3;
const MICRO = 1_000_000;
const COST = { "": MICRO };
/** What an Envoy uses of a session in a second. */
const WANT = { "": 20 * MICRO };

interface LeaseAnswer {
  readonly leases: readonly {
    readonly session: string;
    readonly is?: number;
    readonly granted?: { readonly ""?: number };
  }[];
}

/** All that are asked, over the life of a store: each has spent what it was granted when it asks again. */
export class LeaseAsks {
  /** Of each session, at whichever instance: numbers of one instance only go up. */
  private readonly numbers = new Map<string, number>();
  private readonly instances: readonly { readonly name: string; readonly next: () => string }[];
  private turn = 0;
  private readonly became = { granted: 0, empty: 0, renumbered: 0 };

  /** Each instance has them in an order of its own, so that two calls at a time may have sessions in common. */
  constructor(
    private readonly bench: Bench,
    ids: readonly string[],
  ) {
    this.instances = Array.from({ length: INSTANCES }, (_, number) => ({
      name: instanceOf(number),
      next: overAndOver(shuffled(ids, number + 1)),
    }));
  }

  /** Answers since it was asked last: with tokens, with none, and those that only say which number counts. */
  taken(): { readonly granted: number; readonly empty: number; readonly renumbered: number } {
    const { ...since } = this.became;
    Object.assign(this.became, { granted: 0, empty: 0, renumbered: 0 });
    return since;
  }

  load(): Omit<Load, "requests"> {
    return {
      status: 200,
      next: () => this.call(),
      answered: (body) => {
        this.take(body);
      },
    };
  }

  private call(): string {
    const instance = this.instances[this.turn++ % INSTANCES];
    if (instance === undefined) throw new Failure("there is no instance");
    const asks = Array.from({ length: ASKS_OF_CALL }, () => {
      const session = instance.next();
      const ask = (this.numbers.get(session) ?? 0) + 1;
      this.numbers.set(session, ask);
      return { session, ask, applied: ask - 1, cost: COST, want: WANT };
    });
    const headers = { "content-type": "application/json", authorization: this.bench.edge };
    return requestText("POST", PATH_LEASE, headers, JSON.stringify({ edge: EDGE, instance: instance.name, asks }));
  }

  private take(body: string): void {
    const { leases } = JSON.parse(body) as LeaseAnswer;
    if (leases.length !== ASKS_OF_CALL) throw new Failure(`${leases.length} of ${ASKS_OF_CALL} asks were answered`);
    for (const { session, is, granted } of leases) {
      if (is !== undefined) {
        this.became.renumbered++;
        this.numbers.set(session, Math.max(is, this.numbers.get(session) ?? 0));
      } else if (granted === undefined) throw new Failure("a session has no fleet budget");
      else if ((granted[""] ?? 0) > 0) this.became.granted++;
      else this.became.empty++;
    }
  }
}

function overAndOver(ids: readonly string[]): () => string {
  let at = 0;
  return () => ids[at++ % ids.length] ?? "";
}

function shuffled(ids: readonly string[], seed: number): string[] {
  const random = new Random(seed);
  const keyed = ids.map((id) => ({ id, key: random.fraction() }));
  return keyed.sort((one, other) => one.key - other.key).map(({ id }) => id);
}
