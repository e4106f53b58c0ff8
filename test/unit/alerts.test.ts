// Every alert has its page, its cases for promtool and its fault; and the rules of the tests differ from the real ones in times only.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse, stringify } from "yaml";
import { commandOf, readArguments, wordsOf } from "../../control-plane/src/cli/arguments.js";
import { COMMANDS } from "../../control-plane/src/cli/commands.js";
import { projectRoot } from "../../scripts/project-root.js";
import { findProgram } from "../../scripts/test/get-prometheus.js";
import { notRun } from "../../scripts/test/not-run.js";
import { shortened } from "../long/alerts/harness/shortened-rules.js";
import { expressionsIn, sectionOf, tableUnder, textOf } from "./docs.js";

const FILES = ["envoy/prometheus/rules.yaml", "envoy/prometheus/mesh-rules.yaml"];
const CASES = filesIn("test/alerts", ".yaml");
const PAGES = filesIn("docs/runbook", ".md").filter((page) => !page.endsWith("/README.md"));
const HEADINGS = ["What it means", "What clients see", "What to look at", "What to do", "When it ends"];

/** Those that no test makes fire for real, and why. */
const NOT_MADE = {
  SluiceExtensionRejected: "istiod counts it, and none runs in the suite",
  SluiceImageNotFetched: "Istio's agent counts it, and none runs in the suite; verify:mesh reads it of a real one",
  SluiceMeshErrors: "Istio's own filter in its proxies counts it, and none runs in the suite",
  SluiceSeriesDropped: "ten thousand series of edges take longer to report than any other fault",
};

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

interface Cases {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

const rulesOf = (text: string): readonly Rule[] => (parse(text) as Rules).groups.flatMap(({ rules }) => rules);
const rules = FILES.flatMap((file) => rulesOf(textOf(file)));
const names = rules.map(({ alert }) => alert).sort();

function filesIn(folder: string, extension: string): string[] {
  const found = readdirSync(join(projectRoot, folder)).filter((name) => name.endsWith(extension));
  return found.map((name) => `${folder}/${name}`).sort();
}

const found = await findProgram("promtool");

/** What sluice itself finds wrong with such a command line, if anything. */
function wrongWith(line: string): string | undefined {
  const argv = line.split(" ");
  const command = commandOf(wordsOf(argv, COMMANDS), COMMANDS);
  if (command === undefined) return "no command";
  const given = readArguments(argv, command);
  return given.ok ? undefined : given.failure.message;
}

function promtool(...args: readonly string[]): { code: number | null; output: string } {
  const binary = "binary" in found ? found.binary : "";
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: projectRoot, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

describe("what promtool says", () => {
  it("promtool finds nothing wrong with the files of rules", (context) => {
    if ("reason" in found) notRun(context, found.reason);
    const { code, output } = promtool("check", "rules", ...FILES);
    expect(output).toContain("SUCCESS");
    expect(code).toBe(0);
  });

  it.for(CASES)("promtool fires alerts where there is cause, and not beside it: %s", (file, context) => {
    if ("reason" in found) notRun(context, found.reason);
    expect(promtool("test", "rules", file)).toMatchObject({ code: 0 });
  });
});

describe("what belongs to an alert", () => {
  it.each(rules)("the alert $alert has a severity, a summary, a description and its page", (rule) => {
    const { alert, labels, annotations } = rule;
    expect(["critical", "warning"]).toContain(labels.severity);
    expect(Object.keys(annotations)).toEqual(["summary", "description", "runbook_url"]);
    expect(annotations.runbook_url).toBe(`https://sluice.example/docs/runbook/${alert}.md`);
  });

  it("every alert has cases in which it fires, and cases in which it does not", () => {
    const checks = CASES.flatMap((file) => (parse(textOf(file)) as Cases).tests).flatMap((one) => one.alert_rule_test);
    const withFiring = (fires: boolean): string[] => {
      const some = checks.filter(({ exp_alerts = [] }) => exp_alerts.length > 0 === fires);
      return [...new Set(some.map(({ alertname }) => alertname))].sort();
    };
    expect(withFiring(true)).toEqual(names);
    expect(withFiring(false)).toEqual(names);
  });

  it("every alert is made to fire by its fault, or there is a reason why not", () => {
    const tests = filesIn("test/long/alerts", ".test.ts").map(textOf).join("\n");
    // Of most by its name in the call, of some by a parameter of a function that makes it.
    const made = [...tests.matchAll(/(?:fires|loadUntilFires)\(\s*(?:scene, )?"(Sluice\w+)"/g)].map(
      ([, name = ""]) => name,
    );
    expect([...new Set([...made, ...Object.keys(NOT_MADE)])].sort()).toEqual(names);
    expect(made.filter((name) => name in NOT_MADE)).toEqual([]);
  });
});

describe("the runbook", () => {
  it("every alert has a page, and every page an alert", () => {
    expect(PAGES).toEqual(names.map((name) => `docs/runbook/${name}.md`));
    const titles = ["Over the metrics of the control planes", "Over the metrics of the proxies and of the mesh"];
    const rows = titles.flatMap((title) => tableUnder("docs/runbook/README.md", title));
    const listed = rows.map(([link, severity]) => [/^\[(\w+)\]\(\1\.md\)$/.exec(link ?? "")?.[1], severity]);
    expect(listed).toEqual(rules.map(({ alert, labels }) => [alert, labels.severity]));
  });

  it.each(PAGES)("a page says what it means, what to look at and to do, and when it ends: %s", (page) => {
    const headings = [...textOf(page).matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(headings).toEqual(HEADINGS);
    for (const title of HEADINGS) expect(sectionOf(page, title).trim(), title).not.toBe("");
  });

  it("a command with an option that there is not is none of sluice", () => {
    expect(wrongWith("audit --limit 50")).toBeUndefined();
    expect(wrongWith("audit --since 10m")).toContain("--since");
    expect(wrongWith("session show")).toContain("ID is missing");
    expect(wrongWith("nothing")).toBe("no command");
  });

  it.each(PAGES)("commands of a page are commands of sluice, with their options: %s", (page) => {
    const called = [...textOf(page).matchAll(/\.\/sluice ([^`\n|;&#]+)/g)].map(([, line = ""]) => line.trim());
    const wrong = called.flatMap((line) => {
      const violation = wrongWith(line);
      return violation === undefined ? [] : [`${line}: ${violation}`];
    });
    expect(wrong).toEqual([]);
  });

  it("promtool reads every expression of every page", (context) => {
    if ("reason" in found) notRun(context, found.reason);
    const expressions = PAGES.flatMap((page) => expressionsIn(textOf(page)));
    expect(expressions.length).toBeGreaterThan(PAGES.length);
    const recorded = expressions.map((expr, at) => ({ record: `page:expression:${at}`, expr }));
    const folder = mkdtempSync(join(tmpdir(), "sluice-runbook-"));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    writeFileSync(join(folder, "pages.yaml"), stringify({ groups: [{ name: "pages", rules: recorded }] }));
    expect(promtool("check", "rules", join(folder, "pages.yaml"))).toMatchObject({ code: 0 });
  });
});

describe("rules whose times are shortened for a test", () => {
  const durations = /\[\d+[smhd](?=:?\])|\boffset \d+[smh]/g;

  it.each(FILES)("rules with short times differ in their times and in nothing else: %s", (file) => {
    const short = shortened(textOf(file), { hold: "1s", range: "10s" });
    const timeless = (text: string): unknown =>
      (parse(text) as Rules).groups.map(({ name, rules: some }) => ({
        name,
        rules: some.map((rule) => ({
          ...rule,
          for: rule.for !== undefined,
          expr: rule.expr.replace(durations, "TIME"),
        })),
      }));
    expect(timeless(short)).toEqual(timeless(textOf(file)));
    const times = rulesOf(short).flatMap((rule) => [rule.for, ...(rule.expr.match(durations) ?? [])]);
    expect([...new Set(times)].sort()).toEqual(["1s", "[10s", "offset 10s", undefined]);
  });

  it("numbers that are no times stay as they are", () => {
    const text = 'groups: [{ name: a, rules: [{ alert: A, expr: "x{y=\\"5m\\"} > 10 and rate(z[1h30m]) > 0.2" }] }]';
    expect(rulesOf(shortened(text, { hold: "1s", range: "10s" }))).toEqual([
      { alert: "A", expr: 'x{y="5m"} > 10 and rate(z[10s]) > 0.2' },
    ]);
  });
});
