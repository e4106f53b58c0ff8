// The control plane's REST API as an operator's program uses it, and its metrics.

export interface IssuedSession {
  readonly id: string;
  readonly token: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export class ControlPlaneClient {
  constructor(
    private readonly port: number,
    private readonly adminToken: string,
  ) {}

  /** A new session under the plan of this name; without one, under the default plan. */
  async issue(plan?: string): Promise<IssuedSession> {
    const { status, body } = await this.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1", plan });
    if (status !== 201) throw new Error(`no session was issued: ${status} ${JSON.stringify(body)}`);
    const { session, token } = body as { session: { id: string }; token: string };
    return { id: session.id, token };
  }

  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** The samples of /metrics by name and labels, as they stand there. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const samples = (await this.metricsText()).split("\n").map((line) => /^([^#\s]\S*) (\S+)$/.exec(line));
    return new Map(samples.flatMap((sample) => (sample === null ? [] : [[sample[1] ?? "", Number(sample[2])]])));
  }

  async metricsText(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
  }

  /** How often edges asked for a session, whatever they were told. */
  async acquires(): Promise<number> {
    const samples = [...(await this.metrics())].filter(([name]) => name.startsWith("sluice_control_acquires_total"));
    return samples.reduce((sum, [, value]) => sum + value, 0);
  }
}
