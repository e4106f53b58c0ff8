// All that the control plane is in Kubernetes, but for what holds secrets: those are named, and made by the operator.
import {
  EDGE_LABEL,
  MONITORING_NAMESPACE,
  NAME,
  POLICY_MAP,
  SERVICE_PORT,
  STATUS_PORT,
  STATUS_SERVICE,
} from "./names.js";
import { type ControlPlane, labelsOf, namespaceOf, selectorLabels, workload } from "./workload.js";

export interface KubernetesInstallation extends ControlPlane {
  /** Text of a policy, for the ConfigMap. Without it the ConfigMap is the operator's to make. */
  readonly policy?: string | undefined;
}

/** Of a Redis or Valkey, and of Sentinel. */
const STORE_PORTS = [6379, 26379];
const DNS_PORT = 53;
/** Of OpenShift's DNS pods: a rule is held against the port behind the Service. */
const OPENSHIFT_DNS_PORT = 5353;

/** In the order in which they can be applied. */
export function kubernetesInstallation(plane: KubernetesInstallation): object[] {
  const { policy, store } = plane;
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceOf(plane), labels: { [EDGE_LABEL]: "true" } } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(plane), automountServiceAccountToken: false },
    ...(policy === undefined ? [] : [policyMap(plane, policy)]),
    // Its name is part of a cluster's: outbound|8080||sluice.sluice.svc.cluster.local.
    service(plane, NAME, { ports: [port("http", SERVICE_PORT)] }),
    service(plane, STATUS_SERVICE, {
      clusterIP: "None",
      // One that is not ready is to be seen too.
      publishNotReadyAddresses: true,
      ports: [port("status", STATUS_PORT)],
    }),
    workload(plane),
    ...(store === "shared" ? [disruptionBudget(plane)] : []),
    networkPolicy(plane),
  ];
}

const metadata = (plane: ControlPlane, name = NAME): object => ({
  name,
  namespace: namespaceOf(plane),
  labels: labelsOf(plane),
});

const policyMap = (plane: ControlPlane, policy: string): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadata(plane, POLICY_MAP),
  data: { "policy.yaml": policy },
});

const port = (name: string, number: number): object => ({
  name,
  port: number,
  targetPort: name,
  // A mesh reads requests of a port that it knows to be HTTP.
  appProtocol: "http",
});

const service = (plane: ControlPlane, name: string, spec: object): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(plane, name),
  spec: { ...spec, selector: selectorLabels() },
});

const disruptionBudget = (plane: ControlPlane): object => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: metadata(plane),
  spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels() } },
});

/** Who may call, and whom the control plane may. Probes come from the node, which no NetworkPolicy shuts out. */
function networkPolicy(plane: ControlPlane): object {
  const from = (labels: object): object[] => [{ namespaceSelector: { matchLabels: labels } }];
  const tcp = (number: number): object => ({ protocol: "TCP", port: number });
  const dnsPorts = [DNS_PORT, ...(plane.openshift === true ? [OPENSHIFT_DNS_PORT] : [])];
  const dns = { ports: dnsPorts.flatMap((port) => ["UDP", "TCP"].map((protocol) => ({ protocol, port }))) };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(plane),
    spec: {
      podSelector: { matchLabels: selectorLabels() },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: from({ [EDGE_LABEL]: "true" }), ports: [tcp(SERVICE_PORT)] },
        { from: from({ "kubernetes.io/metadata.name": MONITORING_NAMESPACE }), ports: [tcp(STATUS_PORT)] },
      ],
      egress: [dns, ...(plane.store === "shared" ? [{ ports: STORE_PORTS.map(tcp) }] : [])],
    },
  };
}
