// A real Prometheus with the project's rules, and a real Alertmanager behind it, beside what a test runs. The rules' times are
// short; all else of them is what operators load.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { stringify } from "yaml";
import { until } from "../../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../../scripts/project-root.js";
import { freePorts } from "../../../../scripts/start/ports.js";
import { waitForStatus } from "../../../../scripts/start/readiness.js";
import { startProcess, type SupervisedProcess } from "../../../../scripts/start/supervised-process.js";
import { findAlertmanager } from "../../../../scripts/test/get-alertmanager.js";
import { findProgram } from "../../../../scripts/test/get-prometheus.js";
import { notRun } from "../../../../scripts/test/not-run.js";
import { shortened } from "./shortened-rules.js";
import { type Notified, Webhook } from "./webhook.js";

/** What is scraped. */
export interface Target {
  readonly job: "sluice" | "envoy";
  readonly port: number;
}

/** Several scrapes lie in a range, also on a machine that is busy. */
const TIMES = { hold: "1s", range: "15s" };
const INTERVAL = "500ms";
const READY_MS = 60_000;
export const RULE_FILES = ["rules.yaml", "mesh-rules.yaml"];
const PATHS = { sluice: "/metrics", envoy: "/stats/prometheus" };
const BROKEN_TEMPLATE = /<no value>|<error|error expanding/;
const RUNBOOK = /^https:\/\/sluice\.example\/(docs\/runbook\/\w+\.md)$/;

interface RuleState {
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly lastEvaluation: string;
}

export class Monitoring {
  private constructor(
    private readonly folder: string,
    private readonly url: string,
    private readonly webhook: Webhook,
    private readonly parts: readonly SupervisedProcess[],
  ) {}

  static async start(binaries: Binaries, targets: readonly Target[]): Promise<Monitoring> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-"));
    const webhook = await Webhook.listen();
    const [prometheus = 0, alertmanager = 0] = await freePorts(2);
    writeFiles(folder, targets, { alertmanager, webhook: webhook.url });
    const parts = [
      await startProcess(alertmanagerPlan(binaries.alertmanager, folder, alertmanager)),
      await startProcess(prometheusPlan(binaries.prometheus, folder, prometheus)),
    ];
    const monitoring = new Monitoring(folder, `http://127.0.0.1:${prometheus}`, webhook, parts);
    try {
      for (const port of [alertmanager, prometheus])
        await waitForStatus(`http://127.0.0.1:${port}/-/ready`, 200, { timeoutMs: READY_MS });
      await monitoring.scraping(targets.length);
    } catch (error) {
      await monitoring.stop();
      throw error;
    }
    return monitoring;
  }

  /** Resolves once the rule has been evaluated and is quiet: what fires afterwards is by what happened since. */
  quiet(...alerts: readonly string[]): Promise<void> {
    return until(async () => {
      const rules = await this.rules();
      for (const alert of alerts) {
        const rule = rules.find(({ name }) => name === alert);
        expect({ alert, state: rule?.state, health: rule?.health }).toEqual({ alert, state: "inactive", health: "ok" });
      }
    });
  }

  /** Resolves with the alert once the Alertmanager has handed it on, with these labels among its own. */
  async fires(alert: string, labels: Readonly<Record<string, string>> = {}): Promise<Notified> {
    const firing = await until(() => {
      const found = this.last(alert, labels);
      if (found?.status !== "firing") throw new Error(`${alert} does not fire; ${this.names() || "nothing does"}`);
      return found;
    });
    const { runbook_url: page = "", ...texts } = firing.annotations;
    for (const text of Object.values(texts)) expect(text).not.toMatch(BROKEN_TEMPLATE);
    expect(readFileSync(join(projectRoot, RUNBOOK.exec(page)?.[1] ?? "none"), "utf8")).toContain(alert);
    return firing;
  }

  /** Resolves once the Alertmanager has said that it is over. */
  async ends(alert: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await until(() => {
      expect([alert, this.last(alert, labels)?.status]).toEqual([alert, "resolved"]);
    });
  }

  /** The values of an instant query's series. */
  async query(expression: string): Promise<number[]> {
    const { data } = (await this.asked(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
      data: { result: { value: [number, string] }[] };
    };
    return data.result.map(({ value }) => Number(value[1]));
  }

  async stop(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.stop()));
    await this.webhook.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async scraping(targets: number): Promise<void> {
    await until(async () => {
      expect(await this.query("sum(up)")).toEqual([targets]);
    });
  }

  private async rules(): Promise<readonly RuleState[]> {
    const { data } = (await this.asked("/api/v1/rules")) as { data: { groups: { rules: RuleState[] }[] } };
    return data.groups.flatMap(({ rules }) => rules).filter(({ lastEvaluation }) => !lastEvaluation.startsWith("0001"));
  }

  private async asked(path: string): Promise<unknown> {
    const answer = await fetch(this.url + path);
    return answer.json();
  }

  private last(alert: string, labels: Readonly<Record<string, string>>): Notified | undefined {
    const wanted = Object.entries({ ...labels, alertname: alert });
    return this.webhook.notified.findLast((one) => wanted.every(([name, value]) => one.labels[name] === value));
  }

  private names(): string {
    return this.webhook.notified.map(({ status, labels }) => `${labels.alertname ?? ""} ${status}`).join(", ");
  }
}

interface Program {
  readonly binary: string;
  readonly cwd?: string;
}

interface Binaries {
  readonly prometheus: Program;
  readonly alertmanager: Program;
}

function writeFiles(
  folder: string,
  targets: readonly Target[],
  to: { readonly alertmanager: number; readonly webhook: string },
): void {
  for (const name of RULE_FILES) {
    const text = readFileSync(join(projectRoot, "envoy/prometheus", name), "utf8");
    writeFileSync(join(folder, name), shortened(text, TIMES));
  }
  const jobs = [...new Set(targets.map(({ job }) => job))];
  const prometheus = {
    global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
    rule_files: RULE_FILES,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${to.alertmanager}`] }] }] },
    scrape_configs: jobs.map((job) => ({
      job_name: job,
      metrics_path: PATHS[job],
      static_configs: [
        { targets: targets.filter((target) => target.job === job).map(({ port }) => `127.0.0.1:${port}`) },
      ],
    })),
  };
  writeFileSync(join(folder, "prometheus.yml"), stringify(prometheus));
  const route = { receiver: "test", group_by: ["..."], group_wait: "0s", group_interval: "1s", repeat_interval: "24h" };
  const receivers = [{ name: "test", webhook_configs: [{ url: to.webhook, send_resolved: true }] }];
  writeFileSync(join(folder, "alertmanager.yml"), stringify({ route, receivers }));
}

function alertmanagerPlan({ binary: command, cwd }: Program, folder: string, port: number) {
  mkdirSync(join(folder, "alertmanager"));
  const args = [
    `--config.file=${join(folder, "alertmanager.yml")}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
  ];
  return {
    name: "Alertmanager",
    command,
    args,
    env: {},
    logFile: join(folder, "alertmanager.log"),
    ...(cwd && { cwd }),
  };
}

function prometheusPlan({ binary: command }: Program, folder: string, port: number) {
  const args = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // By itself it sends an alert that is over once, and forgets it after 15 minutes: both are soon enough.
    "--rules.alert.resend-delay=1s",
  ];
  return { name: "Prometheus", command, args, env: {}, logFile: join(folder, "prometheus.log") };
}

/**
 * One for the tests that follow in this file or describe block, which are named as not run where the programs cannot be had. To be
 * called outside of tests, behind what makes the targets.
 */
export function useMonitoring(targets: () => readonly Target[] | Promise<readonly Target[]>): () => Monitoring {
  let missing = "";
  let monitoring: Monitoring | undefined;
  beforeAll(async () => {
    const [prometheus, alertmanager] = await Promise.all([findProgram("prometheus"), findAlertmanager()]);
    if ("reason" in prometheus) missing = prometheus.reason;
    else if ("reason" in alertmanager) missing = alertmanager.reason;
    else monitoring = await Monitoring.start({ prometheus, alertmanager }, await targets());
  });
  beforeEach((context) => {
    if (missing !== "") notRun(context, missing);
  });
  afterAll(() => monitoring?.stop());
  return () => {
    if (monitoring === undefined) throw new Error("nothing is scraped: the monitoring runs in tests only");
    return monitoring;
  };
}
