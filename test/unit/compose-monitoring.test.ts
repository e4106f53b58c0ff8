// Compose's profiles, and what looks on: that each name stands for a whole installation, and that Prometheus, Alertmanager and
// Grafana get files that are there, and open nothing to others.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { DASHBOARD_FILE } from "../../scripts/dashboard/dashboard.js";
import { projectRoot } from "../../scripts/project-root.js";
import { textOf } from "./docs.js";

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly user?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | object)[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const { services, volumes } = parse(textOf("docker-compose.yml"), { merge: true }) as Compose;
const MONITORING = ["prometheus", "alertmanager", "grafana"];

const startedBy = (profile: string): string[] =>
  Object.keys(services).filter((name) => services[name]?.profiles?.includes(profile) !== false);

/** Of a service's files on this machine: from where to where. */
function mountsOf(name: string): { source: string; target: string }[] {
  const texts = (services[name]?.volumes ?? []).filter((volume) => typeof volume === "string");
  return texts.map((text) => {
    const [source = "", target = ""] = text.split(":");
    return { source, target };
  });
}

it("the profiles monitoring and fleet-monitoring are each a whole installation that is watched", () => {
  expect(startedBy("monitoring")).toEqual([...startedBy("single"), ...MONITORING]);
  expect(startedBy("fleet-monitoring")).toEqual([...startedBy("fleet"), ...MONITORING]);
  expect(startedBy("single")).toEqual(["setup", "control-plane", "demo", "envoy"]);
});

it("every profile starts all that its services wait for", () => {
  for (const profile of ["single", "fleet", "monitoring", "fleet-monitoring"]) {
    const started = startedBy(profile);
    const awaited = started.flatMap((name) => Object.keys(services[name]?.depends_on ?? {}));
    expect(awaited.filter((name) => !started.includes(name))).toEqual([]);
  }
});

it.each(MONITORING)("%s runs unprivileged, by its version, on a port of this machine alone", (name) => {
  const service = services[name];
  expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
  expect(service?.image).toMatch(/^(?:prom|grafana)\/\w+:v?\d+\.\d+\.\d+$/);
  expect(service?.user).toMatch(/^[1-9]\d*:\d+$/);
  expect(service?.ports?.every((port) => /^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/.test(port))).toBe(true);
});

it.each(MONITORING)("%s is given files that are there, and keeps what it writes in a volume", (name) => {
  const files = mountsOf(name).filter(({ source }) => source.startsWith("./"));
  expect(files).not.toEqual([]);
  expect(files.filter(({ source }) => !existsSync(join(projectRoot, source)))).toEqual([]);
  const kept = mountsOf(name).filter(({ source }) => !source.startsWith("./"));
  expect(kept.map(({ source }) => source)).toEqual([name]);
  expect(Object.keys(volumes)).toContain(name);
});

it("Prometheus asks services of Compose by name, and finds its rules where they are mounted", () => {
  const config = parse(textOf("envoy/prometheus/prometheus.yml")) as {
    rule_files: string[];
    alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
    scrape_configs: { dns_sd_configs: { names: string[] }[] }[];
  };
  const targets = mountsOf("prometheus").map(({ target }) => target);
  expect(config.rule_files.filter((file) => !targets.includes(file))).toEqual([]);
  const asked = config.scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs.flatMap(({ names }) => names));
  const told = config.alerting.alertmanagers.flatMap(({ static_configs }) =>
    static_configs.flatMap(({ targets: all }) => all),
  );
  const names = [...asked, ...told.map((target) => target.replace(/:\d+$/, ""))];
  expect(names.filter((name) => !(name in services))).toEqual([]);
  const planes = Object.keys(services).filter((name) => /^control-plane(?:-\d)?$/.test(name));
  expect(asked.sort()).toEqual(planes.sort());
});

it("Grafana finds the dashboard where it is mounted, and Prometheus by its name", () => {
  const mounted = mountsOf("grafana").find(({ source }) => source === `./${DASHBOARD_FILE}`);
  const { providers } = parse(textOf("envoy/grafana/provisioning/dashboards/sluice.yaml")) as {
    providers: { options: { path: string } }[];
  };
  expect(mounted?.target).toBe(`${providers[0]?.options.path ?? ""}/sluice.json`);
  expect(services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(mounted?.target);
  const { datasources } = parse(textOf("envoy/grafana/provisioning/datasources/prometheus.yaml")) as {
    datasources: { url: string; jsonData: { timeInterval?: string } }[];
  };
  expect(datasources.map(({ url }) => url)).toEqual(["http://prometheus:9090", "http://alertmanager:9093"]);
  const { global } = parse(textOf("envoy/prometheus/prometheus.yml")) as { global: { scrape_interval: string } };
  expect(datasources[0]?.jsonData.timeInterval).toBe(global.scrape_interval);
});

it("Grafana has no administrator and no login: whoever reaches it may look, and nothing else", () => {
  expect(services.grafana?.environment).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: "true",
    GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
    GF_AUTH_DISABLE_LOGIN_FORM: "true",
    GF_AUTH_BASIC_ENABLED: "false",
    GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true",
  });
});
