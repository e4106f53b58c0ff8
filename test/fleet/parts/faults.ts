// What goes wrong in a run, once: begun at a moment of the run, and ended by itself.
import { setTimeout as delay } from "node:timers/promises";

import { Failure } from "../../../scripts/failure.js";
import type { ClockFile } from "../../e2e/harness/clock-file.js";
import type { FaultName } from "../arguments.js";
import type { FleetEnvoy } from "./envoys.js";
import type { ControlPlane } from "./planes.js";
import type { FleetStore } from "./store.js";

export interface Faulty {
  readonly envoys: readonly FleetEnvoy[];
  readonly planes: readonly ControlPlane[];
  readonly store: FleetStore;
  /** Of the last control plane. */
  readonly clock: ClockFile;
}

const STALL_MS = 2000;
const STOP_MS = 5000;
const AHEAD_S = 5;
/** In which nobody is there, as where a supervisor starts it again. */
const GONE_MS = 500;

/** Resolves when what was broken works again. */
type Fault = (parts: Faulty) => Promise<void>;

const RUN: Readonly<Record<FaultName, Fault>> = {
  "envoy-kill": ({ envoys }) => killed(envoys[0]),
  "control-plane-kill": ({ planes }) => killed(planes[0]),
  "store-kill": ({ store }) => store.kill(),
  "store-stall": ({ store }) => store.stall(STALL_MS),
  "clock-skew": ({ clock }) => {
    clock.ahead(AHEAD_S);
    return Promise.resolve();
  },
  "envoy-stop": async ({ envoys }) => {
    const { part } = present(envoys[0]);
    part.pause();
    await delay(STOP_MS);
    part.resume();
  },
  failover: ({ store }) => store.failOver(),
};

export function runFault(name: FaultName, parts: Faulty): Promise<void> {
  return RUN[name](parts);
}

async function killed(one: FleetEnvoy | ControlPlane | undefined): Promise<void> {
  const { part } = present(one);
  await part.killHard();
  await delay(GONE_MS);
  await part.start();
}

function present<One>(one: One | undefined): One {
  if (one === undefined) throw new Failure("there is nothing that this fault is of");
  return one;
}
