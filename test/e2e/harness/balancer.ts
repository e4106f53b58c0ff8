// The Envoy of envoy/control-planes.yaml in front of control planes on this machine: as it is delivered, but for addresses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "yaml";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { changed } from "./bootstrap.js";
import type { ControlPlanePorts } from "./control-plane-client.js";
import { EnvoyAdmin } from "./envoy-admin.js";
import { Part } from "./part.js";

const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 60_000;
const LISTENER = ["static_resources", "listeners", 0, "address", "socket_address"];
/** Of the control planes. */
export const CLUSTER = ["static_resources", "clusters", 0];
const ENDPOINTS = [...CLUSTER, "load_assignment", "endpoints", 0, "lb_endpoints"];

type Change = (document: Document) => void;

interface BalancerPorts {
  readonly proxy: number;
  readonly admin: number;
}

export class Balancer {
  private readonly admin: EnvoyAdmin;

  private constructor(
    /** On 127.0.0.1, for callers of control planes. */
    readonly port: number,
    admin: number,
    private readonly part: Part,
    private readonly folder: string,
  ) {
    this.admin = new EnvoyAdmin(admin);
  }

  /**
   * Resolves once it knows of each control plane whether it is ready.
   * @param planes as many as the file has
   * @param change what an operator has changed in the file
   */
  static async start(planes: readonly ControlPlanePorts[], change: Change = () => undefined): Promise<Balancer> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-balancer-"));
    const configFile = join(folder, "control-planes.yaml");
    const [proxy = 0, admin = 0] = await freePorts(2);
    writeFileSync(configFile, bootstrapOf({ proxy, admin }, planes, change));
    const plan = envoyPlan({
      ...{ binary: await findEnvoy(), configFile, secret: "", logFile: join(folder, "envoy.log") },
    });
    const part = new Part(plan, (signal) =>
      waitForStatus(`http://${HOST}:${admin}/ready`, 200, { timeoutMs: READY_TIMEOUT_MS, signal }),
    );
    const balancer = new Balancer(proxy, admin, part, folder);
    try {
      await part.start();
      return balancer;
    } catch (error) {
      await balancer.stop();
      throw error;
    }
  }

  get logTail(): string {
    return this.part.logTail;
  }

  /** How many control planes it takes for ready. */
  ready(): Promise<number> {
    return this.admin.stat("cluster.control_planes.membership_healthy");
  }

  /** How many connections it has to this control plane, for calls. */
  async connectionsTo({ http }: ControlPlanePorts): Promise<number> {
    const line = new RegExp(`^control_planes::${HOST}:${http}::cx_active::(\\d+)$`, "m");
    return Number(line.exec(await this.admin.text("/clusters"))?.[1]);
  }

  /** Ends it, and its folder. */
  async stop(): Promise<void> {
    await this.part.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function bootstrapOf({ proxy, admin }: BalancerPorts, planes: readonly ControlPlanePorts[], change: Change): string {
  return changed(readFileSync(join(projectRoot, "envoy/control-planes.yaml"), "utf8"), (document) => {
    const moved = (path: readonly (string | number)[], port: number): void => {
      for (const [name, value] of [
        ["address", HOST],
        ["port_value", port],
      ]) {
        if (name === undefined || !document.hasIn([...path, name])) throw new Error(`${path.join(".")} is not there`);
        document.setIn([...path, name], value);
      }
    };
    moved(["admin", "address", "socket_address"], admin);
    moved(LISTENER, proxy);
    if (document.hasIn([...ENDPOINTS, planes.length])) throw new Error("it is for more control planes");
    for (const [at, { http, status }] of planes.entries()) {
      moved([...ENDPOINTS, at, "endpoint", "address", "socket_address"], http);
      document.setIn([...ENDPOINTS, at, "endpoint", "health_check_config", "port_value"], status);
    }
    change(document);
  });
}
