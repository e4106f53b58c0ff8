// The command line of a run.
import { parseArgs } from "node:util";
import { describe, Failure } from "../../scripts/failure.js";

export const STORES = { redis: "Redis 7", valkey: "Valkey 9" } as const;
export type StoreName = keyof typeof STORES;

export const FAULTS = {
  "envoy-kill": "an Envoy is killed and started again",
  "control-plane-kill": "a control plane is killed and started again",
  "store-kill": "the store is killed and started again with its append-only file",
  "store-stall": "nothing gets to the store and back for 2 s",
  "clock-skew": "the clock of a control plane is 5 s ahead from now on",
  "envoy-stop": "an Envoy is stopped for 5 s and goes on",
  failover: "the primary is killed, and Sentinel makes its replica the primary",
} as const;
export type FaultName = keyof typeof FAULTS;

export const SCOPES = { fleet: "one budget over all Envoys", edge: "one an Envoy" } as const;
export type Scope = keyof typeof SCOPES;

export interface FleetArguments {
  /** At least: with a fault it goes on until what comes of it has been seen. */
  readonly seconds: number;
  /** Where the figures go as JSON; null: nowhere. */
  readonly json: string | null;
  readonly store: StoreName;
  readonly fault: FaultName | null;
  readonly scope: Scope;
  /** Beside it, a budget for each Envoy, a counter in the same store that is asked for each request, and no limiter. */
  readonly compare: boolean;
}

const DEFAULT_SECONDS = 20;
const MOST_SECONDS = 600;

const oneOf = (values: object): string => Object.keys(values).join("|");
const USAGE = `npm run fleet -- [--seconds 1…${MOST_SECONDS}] [--json FILE] [--store ${oneOf(STORES)}] [--fault ${oneOf(FAULTS)}] [--scope ${oneOf(SCOPES)} | --compare]`;

/** @throws Failure that shows the usage */
export function fleetArguments(argv: readonly string[]): FleetArguments {
  const { seconds, json, store, fault, scope, compare } = parsed(argv);
  if (compare === true && scope !== undefined) throw new Failure(`--compare has a lane of each scope. ${USAGE}`);
  return {
    seconds: secondsOf(seconds),
    json: json ?? null,
    store: chosen("store", STORES, store ?? "redis"),
    fault: fault === undefined ? null : chosen("fault", FAULTS, fault),
    scope: chosen("scope", SCOPES, scope ?? "fleet"),
    compare: compare ?? false,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { seconds: text, json: text, store: text, fault: text, scope: text, compare: { type: "boolean" } };
  try {
    return parseArgs({ args: [...argv], options: { ...options, compare: { type: "boolean" } as const } }).values;
  } catch (error) {
    throw new Failure(`${describe(error)} ${USAGE}`);
  }
}

function secondsOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new Failure(`--seconds is a whole number from 1 to ${MOST_SECONDS}. ${USAGE}`);
}

function chosen<Name extends string>(option: string, known: Readonly<Record<Name, string>>, wanted: string): Name {
  const names = Object.keys(known) as Name[];
  const name = names.find((one) => one === wanted);
  if (name === undefined) throw new Failure(`There is no --${option} ${wanted}. ${USAGE}`);
  return name;
}
