// The control plane of a measurement, as its admin sees it, and a policy file that is saved anew.
import { renameSync, writeFileSync } from "node:fs";
import { Failure } from "../../../scripts/failure.js";
import type { PropagationStack } from "./propagation-stack.js";

export interface MeasuredEdge {
  readonly edge: string;
  readonly state: string;
  readonly running: Readonly<Record<string, number>>;
}

export class MeasuredPlane {
  private readonly headers: Readonly<Record<string, string>>;

  constructor(private readonly stack: Pick<PropagationStack, "controlPlane" | "status" | "adminToken" | "policyFile">) {
    this.headers = { authorization: `Bearer ${stack.adminToken}`, "content-type": "application/json" };
  }

  /** Renamed into its folder, as a careful editor does. */
  save(policy: object): void {
    writeFileSync(`${this.stack.policyFile}.new`, JSON.stringify(policy));
    renameSync(`${this.stack.policyFile}.new`, this.stack.policyFile);
  }

  async edges(): Promise<readonly MeasuredEdge[]> {
    return (JSON.parse(await this.get(`${this.stack.controlPlane}/v1/edges`)) as { edges: MeasuredEdge[] }).edges;
  }

  /** Of a new session under the first plan. */
  async token(): Promise<string> {
    const body = '{"userId":"u","orgId":"o"}';
    const answer = await fetch(`${this.stack.controlPlane}/v1/sessions`, {
      method: "POST",
      headers: this.headers,
      body,
    });
    if (answer.status !== 201) throw new Failure(`a session was answered with ${answer.status}`);
    return ((await answer.json()) as { token: string }).token;
  }

  /** Of /metrics: each sample's value by its name and labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const samples = (await this.get(`${this.stack.status}/metrics`))
      .split("\n")
      .map((line) => /^([^#\s]\S*) (\S+)$/.exec(line));
    return new Map(samples.flatMap((sample) => (sample === null ? [] : [[sample[1] ?? "", Number(sample[2])]])));
  }

  private async get(url: string): Promise<string> {
    const answer = await fetch(url, { headers: this.headers });
    const text = await answer.text();
    if (answer.status !== 200) throw new Failure(`${url} was answered with ${answer.status}: ${text}`);
    return text;
  }
}

/** With so many plans; the first is the default plan, and never runs out. */
export function measuredPolicy(plans: number, change: number): object {
  const more = Array.from({ length: plans - 1 }, (_, i) => ({
    ...{ id: i + 1, name: `plan-${i + 1}`, maxTokens: 100 + (change % 100), tokenRefillRate: 10 },
  }));
  // The longest that a policy may say: what is measured is no timeout.
  const controlPlane = { acquireTimeout: 4000, reportInterval: 5000 + (change % 2) };
  const first = { id: 0, name: "measured", maxTokens: 9_000_000, tokenRefillRate: 1_000_000 };
  return { version: 1, plans: [first, ...more], controlPlane };
}
