// The edge settings: the plugin configuration in Envoy, all that an edge must know before it can ask anybody.
import type { EdgeSettings, Policy } from "../domain/policy/policy.js";

export type { EdgeSettings };

export const DEFAULT_CLUSTER = "sluice_control_plane";
const DEFAULT_TABLE = "default";
const DEFAULT_CAPACITY = 65536;

/** What is left out has its default. */
export interface EdgeChoices {
  /** Envoy's cluster that leads to the control plane. */
  readonly cluster?: string | undefined;
  readonly tableName?: string | undefined;
  /** Sessions that the table has room for: a power of two. */
  readonly tableCapacity?: number | undefined;
  /** false: the policy below holds for good, whatever the control plane has. */
  readonly follow?: boolean | undefined;
  /** Holds until the control plane's is there. */
  readonly policy?: Policy | undefined;
}

export function edgeSettings(choices: EdgeChoices = {}): EdgeSettings {
  const { cluster, tableName, tableCapacity, follow, policy } = choices;
  return {
    version: 1,
    controlPlane: { cluster: cluster ?? DEFAULT_CLUSTER },
    table: { name: tableName ?? DEFAULT_TABLE, capacity: tableCapacity ?? DEFAULT_CAPACITY },
    follow: follow ?? true,
    ...(policy === undefined ? {} : { policy }),
  };
}
