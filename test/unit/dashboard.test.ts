// The dashboard: that the file is what the code makes, that each query is PromQL over metrics and labels that docs/metrics.md
// has, and that each panel says what to do.
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DASHBOARD_FILE, dashboardText, RUNBOOK } from "../../scripts/dashboard/dashboard.js";
import { ROWS } from "../../scripts/dashboard/rows.js";
import { withVariables } from "../dashboard/variables.js";
import { textOf } from "./docs.js";

interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Grafana {
  readonly uid: string;
  readonly panels: readonly GrafanaPanel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

interface Rule {
  readonly alert: string;
  readonly annotations: { readonly runbook_url: string };
}

/** Alerts of what no panel shows. */
const WITHOUT_PANEL: readonly string[] = [];

const PANELS = ROWS.flatMap(({ panels }) => panels);
const QUERIES = PANELS.flatMap(({ title, queries }) => queries.map(({ expr, legend }) => ({ title, expr, legend })));
const GRAFANA = JSON.parse(textOf(DASHBOARD_FILE)) as Grafana;

/** What Prometheus adds to each series that it scrapes, and a histogram to its buckets. */
const OF_THE_SCRAPE = ["namespace", "job", "instance", "le"];

/** Metrics of docs/metrics.md with their labels. */
function documented(): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const [, name = "", braces = "", type = "", by = ""] of textOf("docs/metrics.md").matchAll(
    // A histogram's label is in its text: "by `call`, …".
    /^\| `(sluice_\w+)(?:\{(.*?)\})?` \| (\w+) \| (?:by `(\w+)`)?/gm,
  )) {
    const labels = [...braces.split(",").map((label) => label.replace(/=.*/, "")), by];
    const names = type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name];
    for (const one of names) metrics.set(one, new Set([...(metrics.get(one) ?? []), ...labels]));
  }
  return metrics;
}

interface Parsed {
  readonly errors: readonly string[];
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
}

function parsed(expr: string): Parsed {
  const found = { errors: [] as string[], metrics: [] as string[], labels: [] as string[] };
  parser.parse(expr).iterate({
    enter: ({ type, name, from, to, node }) => {
      const text = expr.slice(from, to);
      if (type.isError) found.errors.push(`at ${from} of ${expr}`);
      if (name === "Identifier" && node.parent?.name === "VectorSelector") found.metrics.push(text);
      if (name === "LabelName") found.labels.push(text);
    },
  });
  return found;
}

it("dashboard.json is what its code renders: npm run dashboard -- --write", () => {
  expect(textOf(DASHBOARD_FILE)).toBe(dashboardText());
});

describe("the dashboard's queries", () => {
  it("no query of the dashboard has an error of PromQL's grammar", () => {
    expect(parsed("sum by (job (up)").errors).not.toEqual([]);
    expect(QUERIES.flatMap(({ expr }) => parsed(withVariables(expr)).errors)).toEqual([]);
  });

  it("every metric and label of the dashboard stands in docs/metrics.md, is Node's own, or up", () => {
    const metrics = documented();
    const wrong = QUERIES.flatMap(({ title, expr, legend }) => {
      const found = parsed(withVariables(expr));
      const ours = found.metrics.filter((name) => !/^(?:up$|process_|nodejs_)/.test(name));
      const known = new Set([...OF_THE_SCRAPE, ...ours.flatMap((name) => [...(metrics.get(name) ?? [])])]);
      const named = [...found.labels, ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label)];
      const unknown = [...ours.filter((name) => !metrics.has(name)), ...named.filter((label) => !known.has(label))];
      return found.metrics.length === 0 ? [`${title}: nothing`] : unknown.map((name) => `${title}: ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  it("every query of the dashboard is of the installation that is chosen", () => {
    const selectors = QUERIES.flatMap(({ expr }) => [...expr.matchAll(/\w+\{[^}]*\}/g)].map(([selector]) => selector));
    expect(selectors.length).toBeGreaterThanOrEqual(QUERIES.length);
    expect(selectors.filter((text) => !text.includes('{namespace=~"$namespace", job=~"$job"'))).toEqual([]);
  });

  it("variables that the queries use are variables that the dashboard has", () => {
    const names = GRAFANA.templating.list.map(({ name }) => name);
    expect(names).toEqual(["datasource", "namespace", "job", "edge", "plan", "runbook"]);
    const used = QUERIES.flatMap(({ expr }) => [...expr.matchAll(/"\$(\w+)"/g)].map(([, name = ""]) => name));
    expect(new Set(used)).toEqual(new Set(["namespace", "job", "edge", "plan"]));
  });
});

describe("the dashboard's panels", () => {
  it("every panel says what it shows and what to do about it, in a sentence of its own", () => {
    expect(PANELS.filter(({ description }) => !/^\S.{20,}\.$/.test(description)).map(({ title }) => title)).toEqual([]);
    expect(new Set(PANELS.map(({ title }) => title)).size).toBe(PANELS.length);
    expect(new Set(PANELS.map(({ description }) => description)).size).toBe(PANELS.length);
  });

  it("a panel that counts ten minutes has no unit of a second, and says what it counts", () => {
    const counting = PANELS.filter(({ queries }) => queries.some(({ expr }) => expr.includes("increase(")));
    expect(counting.length).toBeGreaterThan(5);
    const wrong = counting.filter(
      ({ unit, description }) => unit.endsWith("a second") || !description.startsWith("In 10 minutes"),
    );
    expect(wrong.map(({ title }) => title)).toEqual([]);
  });

  it("no panel shows counters as they stand: they begin anew with each process", () => {
    const raw = /\w+_total\{[^}]*\}(?!\[| unless | offset )/;
    expect(QUERIES.filter(({ expr }) => raw.test(expr)).map(({ title }) => title)).toEqual([]);
  });

  it("every line of a panel can be told from the others by its name", () => {
    const drawn = PANELS.filter(({ kind }) => kind !== "value");
    const alike = drawn.filter(
      ({ queries }) =>
        queries.some(({ legend }) => legend === "") ||
        new Set(queries.map(({ legend }) => legend)).size < queries.length,
    );
    expect(alike.map(({ title }) => title)).toEqual([]);
  });

  it("panels link to the runbook by names of alerts that there are", () => {
    const rules = parse(textOf("envoy/prometheus/rules.yaml")) as { groups: { rules: Rule[] }[] };
    const all = rules.groups.flatMap((group) => group.rules);
    const linked = new Set(PANELS.flatMap((panel) => panel.alerts ?? []));
    expect([...linked].filter((alert) => !all.some((rule) => rule.alert === alert))).toEqual([]);
    // Every alert that goes by a figure of the dashboard, but for those that name a panel's figure in passing.
    expect(all.map(({ alert }) => alert).filter((alert) => !linked.has(alert))).toEqual(WITHOUT_PANEL);
    expect(dashboardText()).toContain("${runbook:raw}/SluiceTableFull.md");
    for (const { alert, annotations } of all) expect(annotations.runbook_url).toBe(`${RUNBOOK}/${alert}.md`);
  });

  it("no two panels of the dashboard lie on one another, and none has another's number", () => {
    const { panels } = GRAFANA;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
    expect(panels.filter(({ type }) => type !== "row").map(({ title }) => title)).toEqual(
      PANELS.map(({ title }) => title),
    );
  });
});
