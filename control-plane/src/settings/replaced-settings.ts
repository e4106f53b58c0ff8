// Settings of an earlier version that have no effect any more: they are named after an upgrade.
import type { Environment } from "./environment.js";

interface Replaced {
  readonly name: RegExp;
  readonly by: string;
}

const REPLACED: readonly Replaced[] = [
  {
    name: /^SLUICE_XDS_/,
    by: "Envoys get the policy on the calls that they make to SLUICE_HTTP_PORT, with the TLS of that",
  },
  { name: /^SLUICE_EDGE_AUTHORIZATION$/, by: "Envoys show the credential that the filter derives from SLUICE_SECRET" },
  { name: /^SLUICE_FILTER_PATH$/, by: "Envoy's own configuration names the filter's file" },
  { name: /^SLUICE_WITHDRAWALS_/, by: "SLUICE_INVALIDATIONS_RETENTION and SLUICE_INVALIDATIONS_ENTRIES" },
];

export const isReplaced = (variable: string): boolean => REPLACED.some(({ name }) => name.test(variable));

/** One sentence for all of them that are set; undefined where none is. Values are not repeated. */
export function replacedSettings(env: Environment): string | undefined {
  const parts = REPLACED.flatMap(({ name, by }) => {
    const found = Object.keys(env).filter((one) => name.test(one) && env[one] !== "");
    return found.length === 0 ? [] : [`${found.sort().join(", ")} (${by})`];
  });
  return parts.length === 0 ? undefined : `settings that are no longer used: ${parts.join("; ")}`;
}
