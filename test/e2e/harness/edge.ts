// One Envoy of an installation: the filter on two workers, on ports of its own.
import type { ClientHttp2Session } from "node:http2";
import { EnvoyAdmin } from "./envoy-admin.js";
import { type HttpAnswer, type HttpRequest, send } from "./http1.js";
import { openHttp2 } from "./http2-load.js";
import type { Part } from "./part.js";
import { type EdgePorts, WORKERS } from "./processes.js";
import { until } from "./until.js";

/** Envoy configures the main thread, each worker, and a canary that tries the policy first. */
const CONFIGURED_VMS = WORKERS + 2;
/** Counts pushed configurations once every worker has turned to them. */
const PUSHES_IN_FORCE = "extension_config_discovery.http_filter.sluice.config_reload";

export class Edge {
  readonly admin: EnvoyAdmin;

  constructor(
    /** What the control plane knows it by. */
    readonly name: string,
    readonly ports: EdgePorts,
    readonly envoy: Part,
  ) {
    this.admin = new EnvoyAdmin(ports.admin);
  }

  /** A request through the proxy. */
  send(request: HttpRequest = {}): Promise<HttpAnswer> {
    return send(this.ports.proxy, request);
  }

  /** The statuses of `count` requests of one session, one after the other. */
  async statuses(token: string, count: number): Promise<number[]> {
    const statuses: number[] = [];
    while (statuses.length < count) statuses.push((await this.send({ token })).status);
    return statuses;
  }

  /** `count` HTTP/2 connections to the proxy, as many on one worker as on the other. */
  async connect(count: number): Promise<ClientHttp2Session[]> {
    const kept: ClientHttp2Session[] = [];
    const onWorker = Array.from({ length: WORKERS }, () => 0);
    while (kept.length < count) {
      const before = await this.connectionsByWorker();
      const session = await openHttp2(this.ports.proxy);
      const worker = await until(async () => {
        const now = await this.connectionsByWorker();
        const grown = now.findIndex((connections, index) => connections > (before[index] ?? 0));
        if (grown === -1) throw new Error("no worker has taken the connection");
        return grown;
      });
      if ((onWorker[worker] ?? 0) >= count / WORKERS) {
        session.close();
        continue;
      }
      onWorker[worker] = (onWorker[worker] ?? 0) + 1;
      kept.push(session);
    }
    return kept;
  }

  /** How many pushed policies have come in force since this Envoy's start. */
  pushesInForce(): Promise<number> {
    return this.admin.stat(PUSHES_IN_FORCE);
  }

  /**
   * Resolves when every worker serves the policy of this generation. A worker's VM says so a moment before the worker
   * turns to it, so it must be a push after that number `pushesBefore` that has come in force.
   */
  async serves(generation: number, pushesBefore = 0): Promise<void> {
    const line = `serving policy generation ${generation},`;
    await until(() => {
      const configured = this.envoy.log.split(line).length - 1;
      if (configured < CONFIGURED_VMS) throw new Error(`generation ${generation} is on ${configured} VMs so far`);
    });
    await until(async () => {
      if ((await this.pushesInForce()) <= pushesBefore) throw new Error(`generation ${generation} is not in force yet`);
    });
  }

  /** As by a crash, and back again: an empty session table. */
  async restartHard(): Promise<void> {
    await this.envoy.killHard();
    await this.envoy.start();
  }

  private async connectionsByWorker(): Promise<number[]> {
    const stats = await this.admin.stats();
    const name = (worker: number): string =>
      `listener.127.0.0.1_${this.ports.proxy}.worker_${worker}.downstream_cx_total`;
    return Array.from({ length: WORKERS }, (_, worker) => stats.get(name(worker)) ?? 0);
  }
}
