// A Kubernetes API server over an etcd, on 127.0.0.1, and kubectl for it. Nothing else of a cluster runs: what is applied is
// validated, admitted and stored, no controller acts on it and no pod is started.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Run, runCommand } from "../../../scripts/run-command.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import type { Site } from "../../fleet/parts/site.js";
import type { Tool } from "../../../scripts/mesh/get-tools.js";
import { eventually } from "../eventually.js";

export interface ClusterTools {
  readonly etcd: Tool;
  readonly apiServer: Tool;
  readonly kubectl: Tool;
}

const READY = { timeoutMs: 60_000 };

export class Cluster {
  private files = 0;

  private constructor(
    private readonly folder: string,
    private readonly kubectlBinary: string,
    readonly kubeconfig: string,
  ) {}

  static async start({ folder, ends }: Site, tools: ClusterTools): Promise<Cluster> {
    const own = join(folder, "cluster");
    mkdirSync(own);
    const [client = 0, peer = 0, secure = 0] = await freePorts(3);
    const etcd = etcdPart(own, tools.etcd, client, peer);
    await ends.add(() => etcd.stop());
    await etcd.start();
    const token = randomBytes(24).toString("hex");
    const kubeconfig = join(own, "kubeconfig");
    const cluster = new Cluster(own, tools.kubectl.binary, kubeconfig);
    const server = apiServerPart(own, tools.apiServer, { client, secure, token }, () => cluster.isReady());
    writeFileSync(kubeconfig, kubeconfigOf(secure, join(own, "certs/apiserver.crt"), token), { mode: 0o600 });
    await ends.add(() => server.stop());
    await server.start();
    return cluster;
  }

  /** Never rejects. */
  run(...args: readonly string[]): Promise<Run> {
    const env = { PATH: process.env.PATH, HOME: this.folder, KUBECONFIG: this.kubeconfig };
    return runCommand(this.kubectlBinary, args, { env });
  }

  /** @returns what kubectl said, warnings among it @throws Error with that, where it failed */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${output.trim()}`);
    return output;
  }

  async get<Result>(...args: readonly string[]): Promise<Result> {
    const { code, stdout, output } = await this.run("get", ...args, "-o", "json");
    if (code !== 0) throw new Error(`kubectl get ${args.join(" ")}: ${output.trim()}`);
    return JSON.parse(stdout) as Result;
  }

  /** @param manifest YAML, or a value to be written as JSON */
  apply(manifest: string | object, ...options: readonly string[]): Promise<string> {
    return this.kubectl(...APPLY, "-f", this.fileOf(manifest), ...options);
  }

  /** As `apply --dry-run=server`: everything but storing it. Never rejects. */
  tryOut(manifest: string | object, ...options: readonly string[]): Promise<Run> {
    return this.run(...APPLY, "--dry-run=server", "-f", this.fileOf(manifest), ...options);
  }

  fileOf(manifest: string | object): string {
    const file = join(this.folder, `manifest-${this.files++}.yaml`);
    writeFileSync(file, typeof manifest === "string" ? manifest : JSON.stringify(manifest));
    return file;
  }

  private async isReady(): Promise<void> {
    await eventually(() => this.kubectl("get", "--raw=/readyz"));
  }
}

/** Unknown fields are errors. */
const APPLY = ["apply", "--server-side", "--force-conflicts", "--validate=strict"];

function etcdPart(folder: string, { binary }: Tool, client: number, peer: number): Part {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const args = [
    ...["--data-dir", join(folder, "etcd"), "--initial-cluster", `default=${peers}`],
    ...["--listen-client-urls", clients, "--advertise-client-urls", clients],
    ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
  ];
  const env = { PATH: process.env.PATH };
  return new Part({ name: "etcd", command: binary, args, env, logFile: join(folder, "etcd.log") }, (signal) =>
    waitForAnswer(`${clients}/health`, { status: 200 }, { ...READY, signal }),
  );
}

interface ApiServer {
  /** etcd's. */
  readonly client: number;
  readonly secure: number;
  readonly token: string;
}

function apiServerPart(
  folder: string,
  { binary }: Tool,
  { client, secure, token }: ApiServer,
  ready: () => Promise<void>,
): Part {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const [signing, verifying, tokens] = ["sa.key", "sa.pub", "tokens.csv"].map((name) => join(folder, name));
  writeFileSync(signing ?? "", privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(verifying ?? "", publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(tokens ?? "", `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const args = [
    ...[`--etcd-servers=http://127.0.0.1:${client}`, `--secure-port=${secure}`],
    ...["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"],
    ...[`--cert-dir=${join(folder, "certs")}`, "--service-cluster-ip-range=10.96.0.0/16"],
    ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${verifying ?? ""}`],
    ...[`--service-account-signing-key-file=${signing ?? ""}`, `--token-auth-file=${tokens ?? ""}`],
    // An etcd before 3.4.31 cannot say how far a watch is, which lists by watch need.
    ...["--authorization-mode=RBAC", "--feature-gates=WatchList=false"],
  ];
  const env = { PATH: process.env.PATH };
  const logFile = join(folder, "kube-apiserver.log");
  return new Part({ name: "kube-apiserver", command: binary, args, env, logFile }, ready);
}

const kubeconfigOf = (port: number, authority: string, token: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "mesh",
    clusters: [{ name: "mesh", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": authority } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "mesh", context: { cluster: "mesh", user: "admin" } }],
  });
