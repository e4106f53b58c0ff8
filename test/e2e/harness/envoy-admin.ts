// What Envoy says about itself on its admin interface.

export class EnvoyAdmin {
  constructor(private readonly port: number) {}

  /** Counters and gauges by name. Histograms are left out. */
  async stats(): Promise<ReadonlyMap<string, number>> {
    const lines = (await this.text("/stats")).split("\n");
    const pairs = lines.map((line) => /^(.+): (\d+)$/.exec(line));
    return new Map(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? "", Number(pair[2])]])));
  }

  /** One counter or gauge; 0 for one that does not exist (yet). */
  async stat(name: string): Promise<number> {
    return (await this.stats()).get(name) ?? 0;
  }

  /** The filter's metrics by the names that Prometheus sees: `sluice_requests_total{outcome="missing"}`, `sluice_table_records`. */
  async samples(): Promise<ReadonlyMap<string, number>> {
    const lines = (await this.text("/stats/prometheus")).split("\n");
    const pairs = lines.map((line) => /^(sluice_\S+) (\d+)$/.exec(line));
    return new Map(
      pairs.flatMap((pair) => (pair === null ? [] : [[(pair[1] ?? "").replace("{}", ""), Number(pair[2])]])),
    );
  }

  /** One of them; 0 for one that does not exist (yet). */
  async sample(name: string): Promise<number> {
    return (await this.samples()).get(name) ?? 0;
  }

  /** Such as 1.40.0. */
  async version(): Promise<string> {
    const { version } = JSON.parse(await this.text("/server_info")) as { version: string };
    return version.split("/")[1] ?? "";
  }

  /** The body of an admin path. */
  async text(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (!answer.ok) throw new Error(`Envoy's admin answered ${answer.status} for ${path}`);
    return answer.text();
  }
}
