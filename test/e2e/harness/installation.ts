// A whole installation on ports of its own: control plane, Envoy with the filter on two workers, and a service behind
// it that records what reaches it. Everything lies in a folder that goes when the installation does.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientHttp2Session } from "node:http2";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { freePorts } from "../../../scripts/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { Random } from "../../host/random.js";
import { TokenMint } from "../../host/tokens.js";
import { ControlPlaneClient } from "./control-plane-client.js";
import { EnvoyAdmin } from "./envoy-admin.js";
import { type HttpAnswer, type HttpRequest, send } from "./http1.js";
import { openHttp2 } from "./http2-load.js";
import type { Part } from "./part.js";
import type { PolicyDocument } from "./policy.js";
import { controlPlanePart, envoyPart, type Ports, WORKERS, writePolicy } from "./processes.js";
import { until } from "./until.js";
import { Upstream } from "./upstream.js";

export interface InstallationOptions {
  readonly policy: PolicyDocument;
  /** false: nothing listens where Envoy looks for the control plane, until a test starts it. */
  readonly controlPlane?: boolean;
  /** Changes the bootstrap that Envoy is started with, given as YAML. */
  readonly bootstrap?: (yaml: string) => string;
  /** What listens on the upstream's port in place of the recording service; returns how to stop it. */
  readonly upstream?: (port: number) => Promise<() => void>;
}

/** Envoy configures the main thread, each worker, and a canary that tries the policy first. */
const CONFIGURED_VMS = WORKERS + 2;
const SECRET_BYTES = 32;

export class Installation {
  readonly envoyAdmin: EnvoyAdmin;
  readonly api: ControlPlaneClient;
  /** Makes genuine tokens of sessions that the control plane never issued. */
  readonly mint: TokenMint;
  private closeUpstream: () => void | Promise<void> = () => undefined;
  private recording: Upstream | undefined;

  private constructor(
    readonly folder: string,
    readonly ports: Ports,
    readonly secret: string,
    readonly adminToken: string,
    readonly controlPlane: Part,
    readonly envoy: Part,
  ) {
    this.envoyAdmin = new EnvoyAdmin(ports.admin);
    this.api = new ControlPlaneClient(ports.http, adminToken);
    this.mint = new TokenMint(secret, new Random(1));
  }

  static async start(options: InstallationOptions): Promise<Installation> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-e2e-"));
    const [proxy = 0, admin = 0, http = 0, xds = 0, upstream = 0] = await freePorts(5);
    const ports = { proxy, admin, http, xds, upstream };
    const secret = randomBytes(SECRET_BYTES).toString("hex");
    const adminToken = randomBytes(SECRET_BYTES).toString("base64url");
    writePolicy(folder, options.policy);
    const filterPath = versionedFilter(join(projectRoot, "build/sluice.wasm"), folder);

    const place = { folder, ports, secret, filterPath };
    const controlPlane = controlPlanePart(place, adminToken);
    const envoy = await envoyPart(place, options.bootstrap ?? ((yaml) => yaml));
    const installation = new Installation(folder, ports, secret, adminToken, controlPlane, envoy);
    try {
      await installation.startParts(options);
    } catch (error) {
      await installation.stop();
      throw error;
    }
    return installation;
  }

  /** What reached the service behind the proxy. */
  get upstream(): Upstream {
    if (this.recording === undefined) throw new Error("this installation has an upstream of the test's own");
    return this.recording;
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

  /** Saves a policy where the control plane watches for it. */
  writePolicy(policy: PolicyDocument | string): void {
    writePolicy(this.folder, policy);
  }

  /** Saves a policy and resolves when every worker serves it. */
  async changePolicy(policy: PolicyDocument): Promise<void> {
    const before = await this.envoyAdmin.stat("wasmcustom.sluice_policy_generation");
    this.writePolicy(policy);
    await this.serves(before + 1);
  }

  /** Resolves when every worker serves the policy of this generation. */
  async serves(generation: number): Promise<void> {
    const line = `serving policy generation ${generation},`;
    await until(() => {
      const configured = this.envoy.log.split(line).length - 1;
      if (configured < CONFIGURED_VMS) throw new Error(`generation ${generation} is on ${configured} VMs so far`);
    });
  }

  /** The ends of all logs. */
  get logTails(): string {
    return `${this.controlPlane.logTail}\n${this.envoy.logTail}`;
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    await this.controlPlane.stop();
    await this.closeUpstream();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startParts({ controlPlane = true, upstream }: InstallationOptions): Promise<void> {
    if (upstream === undefined) {
      const recording = await Upstream.listen(this.ports.upstream);
      this.recording = recording;
      this.closeUpstream = () => recording.close();
    } else {
      this.closeUpstream = await upstream(this.ports.upstream);
    }
    if (controlPlane) await this.controlPlane.start();
    await this.envoy.start();
    if (controlPlane) await this.serves(1);
  }

  private async connectionsByWorker(): Promise<number[]> {
    const stats = await this.envoyAdmin.stats();
    const name = (worker: number): string =>
      `listener.127.0.0.1_${this.ports.proxy}.worker_${worker}.downstream_cx_total`;
    return Array.from({ length: WORKERS }, (_, worker) => stats.get(name(worker)) ?? 0);
  }
}

/**
 * An installation that the tests of a file, or of a `describe`, share. When a test fails, the ends of the logs are
 * printed.
 */
export function useInstallation(options: InstallationOptions): () => Installation {
  let installation: Installation | undefined;
  const running = (): Installation => {
    if (installation === undefined) throw new Error("the installation has not been started");
    return installation;
  };
  beforeAll(async () => {
    installation = await Installation.start(options);
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      console.error(running().logTails);
    });
  });
  afterAll(async () => {
    await installation?.stop();
  });
  return running;
}
