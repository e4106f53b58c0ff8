// One Envoy of an installation: the filter on two workers, on ports of its own.
import type { ClientHttp2Session } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { EnvoyAdmin } from "./envoy-admin.js";
import { type HttpAnswer, type HttpRequest, send } from "./http1.js";
import { openHttp2 } from "./http2-load.js";
import type { Part } from "./part.js";
import { type EdgePorts, WORKERS } from "./processes.js";

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
