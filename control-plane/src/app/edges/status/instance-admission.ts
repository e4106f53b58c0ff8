// How many instances edges may make: each takes memory and rows, and its name is whatever the caller says.
import { instanceKey } from "../../../domain/stored.js";
import type { Instance } from "../../../domain/stored.js";
import { LogLineRate } from "../../access/log-line-rate.js";
import { RequestRates } from "../../access/request-rates.js";
import type { RequestRate } from "../../access/request-rates.js";
import type { Clock, Logger } from "../../ports/ports.js";
import type { EdgeRegistry } from "./edge-registry.js";

/** Of edges by a name that is not known yet: a thousand that start at once get in, in some seconds or none. */
const NEW_EDGES: RequestRate = { perSecond: 20, burst: 2000 };
/** Of one edge: an Envoy that crashes in a loop takes longer to start; Envoys that share a name may start at once. */
const OF_AN_EDGE: RequestRate = { perSecond: 2, burst: 256 };
/** Until their first call is noted in the registry: at most the calls that are under way. */
const MAX_ADMITTED = 4096;
const LINES_A_MINUTE = 1;

export interface AdmissionParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instances: Pick<EdgeRegistry, "knows" | "knowsEdge">;
  readonly denied: () => void;
}

export class InstanceAdmission {
  private readonly newEdges: RequestRates;
  private readonly ofEdges: RequestRates;
  private readonly admitted = new Set<string>();
  private readonly lines: LogLineRate;

  constructor(private readonly parts: AdmissionParts) {
    this.newEdges = new RequestRates(parts.clock, NEW_EDGES);
    this.ofEdges = new RequestRates(parts.clock, OF_AN_EDGE);
    this.lines = new LogLineRate(parts.clock, LINES_A_MINUTE);
  }

  /**
   * 0 for an instance that is known, or may become so; else the ms until it may. An edge whose name is known competes with
   * no other: made-up names keep no Envoy out that has been there.
   */
  take({ edge, instance }: Instance): number {
    const { instances } = this.parts;
    const key = instanceKey({ edge, instance });
    if (instances.knows({ edge, instance })) {
      // Once it is forgotten there, it is a new one again.
      this.admitted.delete(key);
      return 0;
    }
    if (this.admitted.has(key)) return 0;
    const waitMs = (instances.knowsEdge(edge) ? 0 : this.newEdges.take("")) || this.ofEdges.take(edge);
    if (waitMs > 0) {
      this.deny({ edge, instance });
      return waitMs;
    }
    this.admitted.add(key);
    const [first] = this.admitted;
    if (this.admitted.size > MAX_ADMITTED && first !== undefined) this.admitted.delete(first);
    return 0;
  }

  private deny({ edge, instance }: Instance): void {
    const { denied, logger } = this.parts;
    denied();
    const leftOut = this.lines.take();
    if (leftOut === undefined) return;
    const fields = { event: "edge-instances-denied", edge, instance, denied: leftOut + 1 };
    logger.warn(fields, "calls of new instances are denied: too many of them come at once");
  }
}
