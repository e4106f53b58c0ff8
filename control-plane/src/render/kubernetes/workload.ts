// The pods of the control plane: one with a volume of its own, or several over a server that is their store.
import { NAME, NAMESPACE, POLICY_MAP, SERVICE_PORT, STATUS_PORT, STATUS_SERVICE, STORE_SECRET } from "./names.js";

export type StoreForm = "folder" | "shared";

export interface ControlPlane {
  readonly store: StoreForm;
  readonly namespace?: string | undefined;
  /** Reference of the control plane's image, with its tag. */
  readonly image: string;
  /** Of the image's manifest, 64 hex digits: nothing else is run. */
  readonly digest?: string | undefined;
  /** A Secret of the namespace, for a registry that wants to know who asks. */
  readonly pullSecret?: string | undefined;
  /** Of the shared form: at least 2. */
  readonly replicas?: number | undefined;
  /** OpenShift gives each namespace ids of its own, and refuses pods that name others. */
  readonly openshift?: boolean | undefined;
}

/** The image's user: `node`. */
const USER = 1000;
/** What a held watch may take (20 s), the calls under way and the store's close. */
const GRACE_SECONDS = 45;
const STORE_FOLDER = "/var/lib/sluice";
const STORE_FILES = "/run/sluice-store";
const POLICY_FILES = "/etc/sluice";
/** Readable by the pod's group, and by nobody else: 0440. */
const SECRET_MODE = 0o440;

export const namespaceOf = ({ namespace }: ControlPlane): string => namespace ?? NAMESPACE;

export const selectorLabels = (): Record<string, string> => ({
  "app.kubernetes.io/name": NAME,
  "app.kubernetes.io/instance": NAME,
  "app.kubernetes.io/component": "control-plane",
});

/** The recommended ones; the version where the image's tag says it. */
export function labelsOf({ image }: ControlPlane): Record<string, string> {
  const tag = /:([A-Za-z0-9][\w.-]{0,61})$/.exec(image)?.[1];
  return {
    ...selectorLabels(),
    ...(tag === undefined ? {} : { "app.kubernetes.io/version": tag }),
    "app.kubernetes.io/part-of": NAME,
  };
}

export function workload(plane: ControlPlane): object {
  return plane.store === "folder" ? statefulSet(plane) : deployment(plane);
}

function statefulSet(plane: ControlPlane): object {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: NAME, namespace: namespaceOf(plane), labels: labelsOf(plane) },
    spec: {
      serviceName: STATUS_SERVICE,
      replicas: 1,
      // In order, a pod that never became ready would not be replaced once the template is mended. No later change is taken.
      podManagementPolicy: "Parallel",
      selector: { matchLabels: selectorLabels() },
      template: podTemplate(plane),
      volumeClaimTemplates: [
        {
          metadata: { name: "store" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } } },
        },
      ],
    },
  };
}

function deployment(plane: ControlPlane): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace: namespaceOf(plane), labels: labelsOf(plane) },
    spec: {
      replicas: plane.replicas ?? 2,
      // One more before one less: what serves now is enough at every moment.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: selectorLabels() },
      template: podTemplate(plane),
    },
  };
}

function podTemplate(plane: ControlPlane): object {
  const { store, pullSecret, openshift = false } = plane;
  const spread = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorLabels() },
  }));
  const storeFile = { name: "store", secret: { secretName: STORE_SECRET, defaultMode: SECRET_MODE } };
  return {
    metadata: { labels: labelsOf(plane) },
    spec: {
      serviceAccountName: NAME,
      automountServiceAccountToken: false,
      ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
      terminationGracePeriodSeconds: GRACE_SECONDS,
      ...(store === "shared" ? { topologySpreadConstraints: spread } : {}),
      securityContext: {
        runAsNonRoot: true,
        ...(openshift ? {} : { runAsUser: USER, runAsGroup: USER, fsGroup: USER }),
        // Without it every start would walk the whole volume.
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [container(plane)],
      volumes: [{ name: "policy", configMap: { name: POLICY_MAP } }, ...(store === "shared" ? [storeFile] : [])],
    },
  };
}

function container({ store, image, digest }: ControlPlane): object {
  const where =
    store === "folder"
      ? [{ name: "SLUICE_DATA_DIR", value: STORE_FOLDER }]
      : [
          { name: "SLUICE_STORE_FILE", value: `${STORE_FILES}/store` },
          // The image's. Nothing is kept there.
          { name: "SLUICE_DATA_DIR", value: "" },
        ];
  const storeMount = store === "folder" ? { mountPath: STORE_FOLDER } : { mountPath: STORE_FILES, readOnly: true };
  const onStatus = (path: string): object => ({ httpGet: { path, port: "status" } });
  return {
    name: "control-plane",
    image: digest === undefined ? image : `${image}@sha256:${digest}`,
    env: [
      { name: "SLUICE_HTTP_HOST", value: "0.0.0.0" },
      { name: "SLUICE_STATUS_HOST", value: "0.0.0.0" },
      ...where,
      { name: "SLUICE_POLICY", value: `${POLICY_FILES}/policy.yaml` },
    ],
    envFrom: [{ secretRef: { name: NAME } }],
    ports: [
      { name: "http", containerPort: SERVICE_PORT },
      { name: "status", containerPort: STATUS_PORT },
    ],
    // Two minutes, for a store that has much to recover. One that is away is waited for behind this probe, and ends no pod.
    startupProbe: { ...onStatus("/healthz"), periodSeconds: 2, failureThreshold: 60 },
    // Not /readyz: a store's outage fails it in every pod at once, and a Service without endpoints would cut all edges off. The API
    // listens once its store was there, and without it still says which sessions have ended, and holds watches.
    readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 5 },
    livenessProbe: { ...onStatus("/healthz"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "2", memory: "1Gi" } },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      // The folder is mounted, not the file: a changed ConfigMap replaces the files of a folder only.
      { name: "policy", mountPath: POLICY_FILES, readOnly: true },
      { name: "store", ...storeMount },
    ],
  };
}
