// A Prometheus that scrapes control planes on this machine, and is asked as Grafana asks it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { Failure } from "../../scripts/failure.js";
import { freePorts } from "../../scripts/start/ports.js";
import { waitForStatus } from "../../scripts/start/readiness.js";
import { findProgram } from "../../scripts/test/get-prometheus.js";
import { Part } from "../e2e/harness/part.js";
import type { Site } from "../fleet/parts/site.js";

const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 60_000;

/** One of an answer, with `[seconds, value]` in turn. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, number])[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly Result[] };
}

interface Result {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly values?: [number, string][];
}

export class Prometheus {
  private constructor(private readonly url: string) {}

  /**
   * Resolves once it answers.
   * @param targets ports whose /metrics it scrapes each second, by the name of their job
   */
  static async start(
    { folder, ends }: Site,
    targets: Readonly<Record<string, readonly number[]>>,
  ): Promise<Prometheus> {
    const found = await findProgram("prometheus");
    if ("reason" in found) throw new Failure(found.reason);
    const own = join(folder, "prometheus");
    mkdirSync(own);
    const [port = 0] = await freePorts(1);
    const configFile = join(own, "prometheus.yml");
    const jobs = Object.entries(targets).map(([job_name, ports]) => ({
      job_name,
      static_configs: [{ targets: ports.map((target) => `${HOST}:${target}`) }],
    }));
    writeFileSync(configFile, stringify({ global: { scrape_interval: "1s" }, scrape_configs: jobs }));
    const url = `http://${HOST}:${port}`;
    const plan = {
      name: "Prometheus",
      command: found.binary,
      args: [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${join(own, "data")}`,
        `--web.listen-address=${HOST}:${port}`,
      ],
      env: {},
      logFile: join(own, "log"),
    };
    const part = new Part(plan, (signal) =>
      waitForStatus(`${url}/-/ready`, 200, { timeoutMs: READY_TIMEOUT_MS, signal }),
    );
    await ends.add(() => part.stop());
    await part.start();
    return new Prometheus(url);
  }

  /** What a query is answered now. */
  query(expr: string): Promise<readonly Series[]> {
    return this.ask("query", { query: expr });
  }

  /** From and to in seconds since 1970. */
  queryRange(expr: string, from: number, to: number, stepSeconds: number): Promise<readonly Series[]> {
    return this.ask("query_range", { query: expr, start: String(from), end: String(to), step: String(stepSeconds) });
  }

  /** Values of a label in what a selector finds. */
  async labelValues(label: string, selector: string): Promise<readonly string[]> {
    const answer = await fetch(
      `${this.url}/api/v1/label/${label}/values?${String(new URLSearchParams({ "match[]": selector }))}`,
    );
    return ((await answer.json()) as { readonly data: readonly string[] }).data;
  }

  private async ask(path: string, form: Record<string, string>): Promise<readonly Series[]> {
    const answer = await fetch(`${this.url}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(form) });
    const { status, error, data } = (await answer.json()) as Answer;
    if (status !== "success") throw new Error(`Prometheus does not answer ${form.query ?? ""}: ${error ?? status}`);
    return (data?.result ?? []).map(({ metric, value, values }) => ({
      labels: metric,
      values: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)] as const),
    }));
  }
}
