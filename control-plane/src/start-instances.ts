// What is known of edges, from the start on: beginning with what earlier processes have stored of them, and others do.
import { policyPropagation } from "./app/edges/policy-propagation.js";
import { OtherProcesses } from "./app/edges/processes/other-processes.js";
import { EdgeRegistry } from "./app/edges/status/edge-registry.js";
import { startStatusRecorder } from "./app/edges/status/status-recorder.js";
import type { PolicyService } from "./app/policy/policy-service.js";
import type { Timers } from "./app/ports/log-ports.js";
import type { Logger, SteadyClock } from "./app/ports/ports.js";
import type { Stores } from "./app/ports/stores.js";
import type { EdgeMetrics } from "./http/status/edge-metrics.js";
import type { Readiness } from "./http/status/readiness.js";
import { onceStoreTakes } from "./start-patience.js";
import type { Started } from "./started.js";

interface InstancesStart {
  readonly clock: SteadyClock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly started: Started;
  readonly store: Pick<Stores, "edgeStatus" | "invalidations">;
  readonly policies: PolicyService;
  readonly edgeMeter: EdgeMetrics;
  readonly readiness: Readiness;
}

const READ = "what is known of edges is being read";

export interface KnownOfEdges {
  readonly instances: EdgeRegistry;
  /** Undefined: this process has the store alone. */
  readonly others: OtherProcesses | undefined;
}

export async function startInstances(start: InstancesStart): Promise<KnownOfEdges> {
  const { clock, timers, log: logger, started, policies, edgeMeter } = start;
  const { edgeStatus: store, invalidations: log } = start.store;
  const propagated = (ms: number): void => {
    edgeMeter.policyPropagated(ms);
  };
  const stored = await onceStoreTakes(start, READ, () => store.all());
  const workerReported = policyPropagation({ policies, propagated });
  const instances = new EdgeRegistry({ clock, policies, known: stored, workerReported });
  const parts = { registry: instances, clock, timers, logger };
  const others = store.shared && new OtherProcesses({ ...parts, shared: store.shared, log });
  if (others !== undefined) {
    await onceStoreTakes(start, READ, () => others.start());
    started.add(() => others.stop());
  }
  started.add(startStatusRecorder({ ...parts, store, stored, others }));
  return { instances, others };
}
