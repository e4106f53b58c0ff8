// The steps of the run, over one API server.
import type { MeshArguments, StepName } from "../arguments.js";
import type { Checks } from "../checks.js";
import { applyDefinitions } from "../definitions.js";
import { Cluster } from "../parts/cluster.js";
import { Ends } from "../../fleet/parts/site.js";
import type { MeshSite } from "../site.js";
import { admission } from "./admission.js";
import { chart } from "./chart.js";
import { envoyGateway } from "./envoy-gateway.js";
import { istio } from "./istio.js";

type Step = (site: MeshSite, cluster: Cluster, checks: Checks, wanted: MeshArguments) => Promise<void>;

const STEPS_RUN: Readonly<Record<StepName, Step>> = {
  chart: (site, cluster, checks) => chart(site, cluster, checks),
  admission: (_site, cluster, checks) => admission(cluster, checks),
  istio: (site, cluster, checks, { write }) => istio(site, cluster, checks, write),
  gateway: (site, cluster, checks, { write }) => envoyGateway(site, cluster, checks, write),
};

const STEP_TITLES: Readonly<Record<StepName, string>> = {
  ...{ admission: "API server", istio: "Istio", gateway: "Envoy Gateway", chart: "Helm chart" },
};

export async function runSteps(site: MeshSite, checks: Checks, wanted: MeshArguments): Promise<void> {
  const { tools } = site.kit;
  const cluster = await Cluster.start(site, {
    ...{ etcd: tools.etcd, apiServer: tools["kube-apiserver"], kubectl: tools.kubectl },
  });
  await checks.check(
    "API server",
    "all definitions of Istio, Gateway API, Envoy Gateway and Prometheus are established",
    () => applyDefinitions(cluster, site.kit),
  );
  for (const name of wanted.only) {
    const ends = new Ends();
    await site.ends.add(() => ends.all());
    // A step that breaks off counts as one failed check, and the others are run.
    try {
      await STEPS_RUN[name]({ ...site, ends }, cluster, checks, wanted);
    } catch (error) {
      await checks.check(STEP_TITLES[name], "the step runs to its end", () => {
        throw error;
      });
    }
    await ends.all();
  }
}
