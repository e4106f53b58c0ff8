// What an operator chooses at the head of the dashboard.
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";

/** Where each query goes. */
export const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** Of every installation, from its start. */
const ANY_CONTROL_PLANE = "sluice_control_watches_held";
/** An edge is known by what it runs, or by what it has counted. */
const ANY_EDGE = '{__name__=~"sluice_control_edge_running_generation|sluice_edge_requests_total", ';

export const datasource = (): DatasourceVariableBuilder =>
  new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus");

/** Also of series without the label: Prometheus outside of Kubernetes has no namespace, a denial without a token no plan. */
const chosen = (name: string, label: string, series: string): QueryVariableBuilder => {
  const values = `label_values(${series}, ${name})`;
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query: values, refId: name })
    .definition(values)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: ["All"], value: ["$__all"] });
};

export const namespace = (): QueryVariableBuilder => chosen("namespace", "Namespace", ANY_CONTROL_PLANE);
export const job = (): QueryVariableBuilder => chosen("job", "Job", `${ANY_CONTROL_PLANE}{namespace=~"$namespace"}`);
export const edge = (): QueryVariableBuilder =>
  chosen("edge", "Edge", `${ANY_EDGE}namespace=~"$namespace", job=~"$job"}`);
export const plan = (): QueryVariableBuilder =>
  chosen("plan", "Plan", 'sluice_edge_requests_total{namespace=~"$namespace", job=~"$job"}');

/** Where the pages of docs/runbook are served; an operator's own copy may be elsewhere. */
export const runbook = (base: string): TextBoxVariableBuilder =>
  new TextBoxVariableBuilder("runbook").label("Runbook").hide(VariableHide.HideVariable).defaultValue(base);
