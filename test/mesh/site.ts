// What a run of verify:mesh has: the programs and files that it uses, and where it runs.
import type { Tool, ToolName } from "../../scripts/mesh/get-tools.js";
import type { ModuleName } from "../../scripts/mesh/versions.js";
import type { Site } from "../fleet/parts/site.js";

/** Found with a network; what follows has none. */
export interface Kit {
  readonly tools: Readonly<Record<ToolName, Tool>>;
  /** Their folders. */
  readonly modules: Readonly<Record<ModuleName, string>>;
  readonly envoy: Tool;
}

export interface MeshSite extends Site {
  readonly kit: Kit;
  /** Stands for /etc/hosts: a name that is added there is known from then on. */
  readonly hostsFile: string;
}

/**
 * What pods and Services have instead of 127.0.0.1, which no endpoint in Kubernetes may have: an address of the loopback
 * interface of the namespace in which all of it runs.
 */
export const POD_ADDRESS = "10.0.0.7";

/** Of the Service `sluice`: no kube-proxy leads from it to a pod, so the control plane has it too. */
export const SERVICE_ADDRESS = "10.96.0.80";
