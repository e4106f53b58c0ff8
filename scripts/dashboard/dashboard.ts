// The dashboard as Grafana reads it.
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { grafanaPanel } from "./grafana-panels.js";
import { ROWS } from "./rows.js";
import * as variables from "./variables.js";

/** The same as in the alerts' annotation runbook_url. */
export const RUNBOOK = "https://sluice.example/docs/runbook";
/** Its place in the project; Grafana's provisioning names the folder. */
export const DASHBOARD_FILE = "envoy/grafana/dashboard.json";

/** Of Grafana's grid. */
const COLUMNS = 24;

export function dashboard(): object {
  // The classic model and not the newer one: docs/decisions/0093-the-dashboard-is-code.md says why.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const built = new DashboardBuilder("Sluice")
    .uid("sluice")
    .description(
      "Rate limiting per session: traffic, limits, tables, edges, the control plane and its store. docs/monitoring.md",
    )
    .tags(["sluice"])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: "now-1h", to: "now" })
    .refresh("30s")
    .timezone("browser")
    .links([
      new DashboardLinkBuilder("Runbook")
        .type(DashboardLinkType.Link)
        .url("${runbook:raw}/README.md")
        .tooltip("What each alert means, and what to do")
        .targetBlank(true),
    ])
    .variables([
      variables.datasource(),
      variables.namespace(),
      variables.job(),
      variables.edge(),
      variables.plan(),
      variables.runbook(RUNBOOK),
    ]);
  let id = 1;
  for (const { title, panels, abreast } of ROWS) {
    built.withRow(new RowBuilder(title).id(id++));
    for (const panel of panels) built.withPanel(grafanaPanel(panel, id++, COLUMNS / abreast));
  }
  return built.build();
}

/** As it stands in DASHBOARD_FILE. */
export const dashboardText = (): string => `${JSON.stringify(dashboard(), null, 2)}\n`;
