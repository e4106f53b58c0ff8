// The control plane's REST API as an operator's program uses it, and its metrics.
import { once } from "node:events";
import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";

export interface IssuedSession {
  readonly id: string;
  readonly token: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface SessionView {
  readonly id: string;
  readonly state: "live" | "revoked" | "expired";
  readonly plan: string;
  readonly lastActivity: number;
  readonly tokens: { readonly issued: number; readonly consumed: number };
}

/** Tokens spent, by edge; an edge has an instance for each life of its session table. */
export interface UsageView {
  readonly consumed: number;
  readonly direct: number;
  readonly edges: readonly {
    readonly edge: string;
    readonly consumed: number;
    readonly instances: readonly { readonly instance: string; readonly consumed: number }[];
  }[];
}

export interface InstanceView {
  readonly state: string;
  readonly watching: boolean;
  readonly lag: number | null;
  readonly address: string | null;
  readonly workers: readonly { readonly generation: number | null; readonly build: string | null }[];
}

export interface EdgeView {
  readonly edge: string;
  readonly state: string;
  readonly published: number | null;
  readonly received: { readonly generation: number; readonly state: string } | null;
  readonly violations: readonly { readonly path: string; readonly message: string }[];
  /** Generation to how many workers run it; 0: one of the settings, or none. */
  readonly running: Readonly<Record<string, number>>;
  readonly watching: boolean;
  /** Invalidations that its table is not marked for; null while it follows no log, or another one. */
  readonly lag: number | null;
  readonly instances: readonly InstanceView[];
}

/** Calls that were denied for their credential. */
export interface UnauthenticatedView {
  readonly claimedEdge: string;
  readonly address: string;
  readonly calls: number;
}

/** PEM. */
export interface ClientTls {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface Owner {
  readonly userId: string;
  readonly orgId: string;
}

const SOMEBODY: Owner = { userId: "u1", orgId: "o1" };

export interface ControlPlanePorts {
  readonly http: number;
  readonly status: number;
}

export class ControlPlaneClient {
  constructor(
    private readonly ports: ControlPlanePorts,
    private readonly adminToken: string,
    private readonly tls?: ClientTls,
  ) {}

  /** A new session under the plan of this name; without one, under the default plan. */
  async issue(plan?: string, owner: Owner = SOMEBODY): Promise<IssuedSession> {
    const { status, body } = await this.call("POST", "/v1/sessions", { ...owner, plan });
    if (status !== 201) throw new Error(`no session was issued: ${status} ${JSON.stringify(body)}`);
    const { session, token } = body as { session: { id: string }; token: string };
    return { id: session.id, token };
  }

  async session(id: string): Promise<SessionView> {
    return ((await this.found(`/v1/sessions/${id}`)) as { session: SessionView }).session;
  }

  async usage(id: string): Promise<UsageView> {
    return (await this.found(`/v1/sessions/${id}/usage`)) as UsageView;
  }

  async edges(): Promise<readonly EdgeView[]> {
    return ((await this.found("/v1/edges")) as { edges: EdgeView[] }).edges;
  }

  async unauthenticated(): Promise<readonly UnauthenticatedView[]> {
    return ((await this.found("/v1/edges")) as { unauthenticated: UnauthenticatedView[] }).unauthenticated;
  }

  /** Resolves once the control plane has promised that it is final. */
  async revoke(id: string): Promise<void> {
    const { status } = await this.call("DELETE", `/v1/sessions/${id}`);
    if (status !== 204) throw new Error(`the session was not revoked: ${status}`);
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.ask(method, path, sent, {
      authorization: `Bearer ${this.adminToken}`,
      ...(sent === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(sent) }),
      ...headers,
    });
    const answered = await text(answer);
    return { status: answer.statusCode ?? 0, body: isJson(answer) ? JSON.parse(answered) : undefined };
  }

  /** The samples of /metrics by name and labels, as they stand there. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const samples = (await this.metricsText()).split("\n").map((line) => /^([^#\s]\S*) (\S+)$/.exec(line));
    return new Map(samples.flatMap((sample) => (sample === null ? [] : [[sample[1] ?? "", Number(sample[2])]])));
  }

  async metricsText(): Promise<string> {
    return text(await this.askStatus("/metrics"));
  }

  /** The status of the answer to a supervisor's probe: plain text, without a credential or a certificate. */
  async probe(path: "/healthz" | "/readyz"): Promise<number> {
    return (await this.askStatus(path)).resume().statusCode ?? 0;
  }

  /** How often edges asked for a session, whatever the answer. */
  async acquires(): Promise<number> {
    const samples = [...(await this.metrics())].filter(([name]) => name.startsWith("sluice_control_acquires_total"));
    return samples.reduce((sum, [, value]) => sum + value, 0);
  }

  private async found(path: string): Promise<unknown> {
    const { status, body } = await this.call("GET", path);
    if (status !== 200) throw new Error(`${path} was answered ${status} ${JSON.stringify(body)}`);
    return body;
  }

  private async ask(
    method: string,
    path: string,
    body: string | undefined,
    headers: NonNullable<RequestOptions["headers"]>,
  ): Promise<IncomingMessage> {
    const options = { host: "127.0.0.1", port: this.ports.http, method, path, headers };
    const outgoing = this.tls === undefined ? plainRequest(options) : tlsRequest({ ...options, ...this.tls });
    outgoing.end(body);
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    return answer;
  }

  private async askStatus(path: string): Promise<IncomingMessage> {
    const outgoing = plainRequest({ host: "127.0.0.1", port: this.ports.status, path }).end();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    return answer;
  }
}

const isJson = (answer: IncomingMessage): boolean =>
  (answer.headers["content-type"] ?? "").startsWith("application/json");
