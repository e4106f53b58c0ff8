// Which life of which server answers: its log of invalidations is another one than that of each other life.

/** What INFO says, as far as it matters here. */
export interface ServerInfo {
  /** Of this run of this process; and of the history that it writes, which a promotion of a replica changes too. */
  readonly life: string;
  readonly isPrimary: boolean;
  readonly isCluster: boolean;
  /** Connected replicas. */
  readonly replicas: number;
  /** What it does once it is full; empty where it does not say. */
  readonly evictionPolicy: string;
  readonly version: string;
}

/** The sections that are read. */
export const INFO_SECTIONS = ["server", "replication", "cluster", "memory"] as const;

export function serverInfoIn(info: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of info.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const of = (name: string): string => fields.get(name) ?? "";
  return {
    life: `${of("run_id")} ${of("master_replid")}`,
    isPrimary: of("role") === "master",
    isCluster: of("cluster_enabled") === "1",
    replicas: Number(of("connected_slaves")),
    evictionPolicy: of("maxmemory_policy"),
    version: fields.get("valkey_version") ?? of("redis_version"),
  };
}
