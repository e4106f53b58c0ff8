// How often two workers write one session's set at once: the retries of compare-and-swap, as the filter counts them.
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import type { Installation } from "../stand/installation.js";
import { atRandom, h2load, requireAll } from "../stand/load.js";

/** Requests a second of one session that are many, and yet not all that two workers can do. */
export const PACE = 5000;
const REQUESTS = 4 * PACE;
/** Time for a tick to bring the last counts to Envoy. */
const FLUSHED_WITHIN_MS = 500;

/** All of them since Envoy started. */
export interface Contention {
  readonly retries: number;
  readonly exhausted: number;
}

export async function contention({ adminPort }: Installation): Promise<Contention> {
  await new Promise((resolve) => setTimeout(resolve, FLUSHED_WITHIN_MS));
  const stats = await new EnvoyAdmin(adminPort).stats();
  const of = (name: string): number => stats.get(`wasmcustom.sluice_cas_${name}_total`) ?? 0;
  return { retries: of("retries"), exhausted: of("exhausted") };
}

/** Retries a request, at the same pace in two shapes. */
export async function pacedRetries(
  installation: Installation,
  token: string,
): Promise<{ readonly inBursts: number; readonly atRandomTimes: number }> {
  const port = installation.portOf("sluice");
  const start = await contention(installation);
  requireAll("sluice", await h2load(port, REQUESTS, token, { perSecond: PACE }), "2xx", REQUESTS);
  const between = await contention(installation);
  requireAll("sluice", await atRandom(port, REQUESTS, token, PACE), "200", REQUESTS);
  const end = await contention(installation);
  return {
    inBursts: (between.retries - start.retries) / REQUESTS,
    atRandomTimes: (end.retries - between.retries) / REQUESTS,
  };
}
