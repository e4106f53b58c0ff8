// Names of an installation in Kubernetes that several manifests must agree on. Imports only the contract.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../../../assembly/contract.js";

/** Of the Service, the Secret, the control plane's workload, and whatever else there is one of. */
export const NAME = "sluice";
export const NAMESPACE = "sluice";
export const SERVICE_PORT = 8080;
export const STATUS_PORT = 8081;
/** Headless, for the status listener: what scrapes finds each pod by it. */
export const STATUS_SERVICE = "sluice-status";
/** Holds the file `store` with the URL of the server that is the store. */
export const STORE_SECRET = "sluice-store";
/** Holds the file `policy.yaml`. */
export const POLICY_MAP = "sluice-policy";
/** An operator's label on the namespaces whose pods may call. */
export const EDGE_LABEL = "sluice.dev/edge";
export const MONITORING_NAMESPACE = "monitoring";

/** What the Service is called throughout a cluster. */
export const serviceHost = (namespace: string): string => `${NAME}.${namespace}.svc.cluster.local`;

/** A variable of a container, from a Secret of its pod's namespace. */
export interface SecretVariable {
  readonly name: string;
  readonly valueFrom: {
    readonly secretKeyRef: { readonly name: string; readonly key: string; readonly optional?: true };
  };
}

/** A proxy's environment. The second secret is there during a rotation only. */
export function proxyEnvironment(): SecretVariable[] {
  const fromSecret = (key: string, rest: { optional?: true } = {}): SecretVariable => ({
    name: key,
    valueFrom: { secretKeyRef: { name: NAME, key, ...rest } },
  });
  return [fromSecret(ENV_SECRET), fromSecret(ENV_SECRET_ALSO, { optional: true })];
}
