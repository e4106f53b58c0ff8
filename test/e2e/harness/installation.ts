// A whole installation on ports of its own: control plane, one Envoy or several with the filter on two workers each, and
// a service behind them that records what reaches it. Everything lies in a folder that goes when the installation does.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientHttp2Session } from "node:http2";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { Random } from "../../host/harness/host/random.js";
import { TokenMint } from "../../host/harness/scenes/tokens.js";
import { ControlPlaneClient } from "./control-plane-client.js";
import { Edge } from "./edge.js";
import type { EnvoyAdmin } from "./envoy-admin.js";
import type { HttpAnswer, HttpRequest } from "./http1.js";
import type { InstallationOptions } from "./installation-options.js";
import type { Part } from "./part.js";
import type { PolicyDocument } from "./policy.js";
import {
  controlPlanePart,
  type EdgeSetup,
  envoyPart,
  type Ports,
  replaceFilter,
  settingsWith,
  type SharedPorts,
  writePolicy,
} from "./processes.js";
import { Upstream } from "./upstream.js";

const ONE_EDGE = ["sluice-edge"];
const SECRET_BYTES = 32;

export class Installation {
  readonly ports: Ports;
  /** Makes genuine tokens of sessions that the control plane never issued. */
  readonly mint: TokenMint;
  private closeUpstream: () => void | Promise<void> = () => undefined;
  private recording: Upstream | undefined;

  private constructor(
    readonly folder: string,
    readonly secret: string,
    readonly adminToken: string,
    readonly api: ControlPlaneClient,
    readonly controlPlane: Part,
    readonly edges: readonly Edge[],
    private readonly setup: EdgeSetup,
    shared: SharedPorts,
  ) {
    this.ports = { ...shared, ...this.edge(0).ports };
    this.mint = new TokenMint(secret, new Random(1));
  }

  static async start(options: InstallationOptions): Promise<Installation> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-e2e-"));
    const names = options.edges ?? ONE_EDGE;
    const [http = 0, status = 0, upstream = 0, ...free] = await freePorts(3 + 2 * names.length);
    const shared = { http, status, upstream };
    const secret = randomBytes(SECRET_BYTES).toString("hex");
    const adminToken = randomBytes(SECRET_BYTES).toString("base64url");
    writePolicy(folder, options.policy);
    const filter = options.filterPath ?? join(projectRoot, `build/${options.filter ?? "sluice"}.wasm`);
    const settings = settingsWith(options.tableCapacity, options.settingsPolicy, options.follow);
    const setup = {
      filterPath: versionedFilter(filter, folder),
      settings: options.settings?.(settings) ?? settings,
      followed: options.followedFilter ?? false,
      awaitPolicy: options.awaitPolicy ?? true,
    };
    const api = new ControlPlaneClient(shared, adminToken, options.tls);

    const site = { folder, secret };
    const controlPlane = controlPlanePart(
      { ...site, ports: shared },
      { SLUICE_ADMIN_TOKEN: adminToken, ...options.controlPlaneEnv },
      api,
    );
    const edges: Edge[] = [];
    for (const [index, name] of names.entries()) {
      const ports = { proxy: free[2 * index] ?? 0, admin: free[2 * index + 1] ?? 0 };
      const bootstrap = options.bootstrap ?? ((yaml: string): string => yaml);
      const part = await envoyPart({ ...site, ports: { ...shared, ...ports } }, name, setup, bootstrap);
      edges.push(new Edge(name, ports, part));
    }
    const installation = new Installation(folder, secret, adminToken, api, controlPlane, edges, setup, shared);
    try {
      await installation.startParts(options);
    } catch (error) {
      await installation.stop();
      throw error;
    }
    return installation;
  }

  edge(index: number): Edge {
    const edge = this.edges[index];
    if (edge === undefined) throw new Error(`this installation has no edge ${index}`);
    return edge;
  }

  /** Of the first edge, as all that follows until the policy. */
  get envoy(): Part {
    return this.edge(0).envoy;
  }

  get envoyAdmin(): EnvoyAdmin {
    return this.edge(0).admin;
  }

  /** What reached the service behind the proxy. */
  get upstream(): Upstream {
    if (this.recording === undefined) throw new Error("this installation has an upstream of the test's own");
    return this.recording;
  }

  /** A request through the proxy. */
  send(request: HttpRequest = {}): Promise<HttpAnswer> {
    return this.edge(0).send(request);
  }

  /** The statuses of `count` requests of one session, one after the other. */
  statuses(token: string, count: number): Promise<number[]> {
    return this.edge(0).statuses(token, count);
  }

  /** `count` HTTP/2 connections to the proxy, as many on one worker as on the other. */
  connect(count: number): Promise<ClientHttp2Session[]> {
    return this.edge(0).connect(count);
  }

  /** Saves a policy where the control plane watches for it. */
  writePolicy(policy: PolicyDocument | string): void {
    writePolicy(this.folder, policy);
  }

  /** Saves a policy and resolves when every worker serves it. */
  async changePolicy(policy: PolicyDocument): Promise<void> {
    const before = await this.generation();
    this.writePolicy(policy);
    await until(async () => {
      const now = await this.generation();
      if (now <= before) throw new Error(`the control plane has not taken the policy yet: generation ${now}`);
    });
    await this.current();
  }

  /**
   * Resolves when every edge says of each of its workers that it runs the policy that the control plane has. An instance
   * that was killed does not count: what it said last is all that it will ever say.
   */
  current(): Promise<void> {
    return until(async () => {
      const views = await this.api.edges();
      for (const { name } of this.edges) {
        const alive = views.find(({ edge }) => edge === name)?.instances.filter(({ watching }) => watching) ?? [];
        const states = alive.map(({ state }) => state).join() || "not watching";
        if (states !== "current") throw new Error(`edge ${name} is ${states}`);
      }
    });
  }

  /** Of the policy that the control plane has published. */
  async generation(): Promise<number> {
    return (await this.api.metrics()).get("sluice_control_policy_generation") ?? 0;
  }

  /** Renames another build of the filter into the file that the Envoys follow. */
  replaceFilter(filterPath: string): void {
    replaceFilter(this.folder, { ...this.setup, filterPath });
  }

  /** The ends of all logs. */
  get logTails(): string {
    return [this.controlPlane, ...this.edges.map(({ envoy }) => envoy)].map(({ logTail }) => logTail).join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all(this.edges.map(({ envoy }) => envoy.stop()));
    await this.controlPlane.stop();
    await this.closeUpstream();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startParts(options: InstallationOptions): Promise<void> {
    const { controlPlane = true, awaitPolicy = true, startEdges = true, follow = true, upstream } = options;
    if (upstream === undefined) {
      const recording = await Upstream.listen(this.ports.upstream);
      this.recording = recording;
      this.closeUpstream = () => recording.close();
    } else {
      this.closeUpstream = await upstream(this.ports.upstream);
    }
    if (controlPlane) await this.controlPlane.start();
    if (!startEdges) return;
    await Promise.all(this.edges.map(({ envoy }) => envoy.start()));
    if (controlPlane && awaitPolicy && follow) await this.current();
  }
}

/**
 * An installation that the tests of a file, or of a `describe`, share. When a test fails, the ends of the logs are
 * printed.
 */
export function useInstallation(
  options: InstallationOptions | (() => Promise<InstallationOptions>),
): () => Installation {
  let installation: Installation | undefined;
  const running = (): Installation => {
    if (installation === undefined) throw new Error("the installation has not been started");
    return installation;
  };
  beforeAll(async () => {
    installation = await Installation.start(typeof options === "function" ? await options() : options);
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
