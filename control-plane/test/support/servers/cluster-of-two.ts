// A cluster of two nodes, one of which has all slots: the store's slot is moved to the other, in steps.
import { afterAll, beforeEach } from "vitest";

import type { ServerName, ServerProgram } from "../../../../scripts/test/get-store-servers.js";
import { until } from "../until.js";
import { StoreServer } from "./store-server.js";
import type { Answer } from "./store-server.js";
import { useProgram } from "./use-server.js";

const A_KEY = "{sluice}:meta";
/** A node that gives its last slot away stays a primary, and one that comes to the other is taken soon. */
const SETTINGS = { "cluster-allow-replica-migration": "no", "cluster-node-timeout": "500" };

export class ClusterOfTwo {
  private constructor(
    private from: StoreServer,
    private to: StoreServer,
    private readonly slot: string,
  ) {}

  static async start(program: ServerProgram): Promise<ClusterOfTwo> {
    const [one, other] = await Promise.all(
      [0, 1].map(() => StoreServer.start(program, { cluster: true, settings: SETTINGS })),
    );
    if (one === undefined || other === undefined) throw new Error("no servers");
    await other.command("CLUSTER", "FLUSHSLOTS");
    await other.command("CLUSTER", "MEET", "127.0.0.1", String(one.port), String(one.busPort));
    await until(async () => {
      for (const server of [one, other])
        if (!(await told(server, "INFO")).includes("cluster_state:ok")) throw new Error("not yet");
      if (!JSON.stringify(await other.command("CLUSTER", "SLOTS")).includes(String(one.port)))
        throw new Error("not yet");
    });
    return new ClusterOfTwo(one, other, await told(one, "KEYSLOT", A_KEY));
  }

  /** Of the node that has the slot, or is giving it away. */
  get port(): number {
    return this.from.port;
  }

  /** Asks the node that has the slot. */
  command(...words: readonly string[]): Promise<Answer> {
    return this.from.command(...words);
  }

  /** From now on each key is at one of the two. */
  async beginMove(): Promise<void> {
    const [source, target] = await this.ids();
    await this.to.command("CLUSTER", "SETSLOT", this.slot, "IMPORTING", source);
    await this.from.command("CLUSTER", "SETSLOT", this.slot, "MIGRATING", target);
  }

  /** These go to the other node. */
  async moveKeys(keys: readonly string[]): Promise<void> {
    await this.from.command("MIGRATE", "127.0.0.1", String(this.to.port), "", "0", "5000", "KEYS", ...keys);
  }

  /** All that are still here go, a few at a time. */
  async moveRest(): Promise<void> {
    for (;;) {
      const keys = (await this.from.command("CLUSTER", "GETKEYSINSLOT", this.slot, "5")) as string[];
      if (keys.length === 0) return;
      await this.moveKeys(keys);
    }
  }

  /** The other node has the slot from now on. */
  async endMove(): Promise<void> {
    const [, target] = await this.ids();
    for (const node of [this.to, this.from]) await node.command("CLUSTER", "SETSLOT", this.slot, "NODE", target);
    [this.from, this.to] = [this.to, this.from];
  }

  /** Without a key, and with the slot at one node. */
  async asNew(): Promise<void> {
    for (const node of [this.from, this.to]) {
      await node.command("FLUSHALL");
      await node.command("CLUSTER", "SETSLOT", this.slot, "STABLE");
    }
  }

  async remove(): Promise<void> {
    await Promise.all([this.from.remove(), this.to.remove()]);
  }

  private ids(): Promise<[source: string, target: string]> {
    return Promise.all([told(this.from, "MYID"), told(this.to, "MYID")]);
  }
}

async function told(node: StoreServer, ...question: readonly string[]): Promise<string> {
  const answer = await node.command("CLUSTER", ...question);
  if (typeof answer !== "string" && typeof answer !== "number") throw new Error("it has answered with a list");
  return String(answer);
}

/** One for the tests that follow, without what an earlier one left in it. To be called outside of tests. */
export function useClusterOfTwo(name: ServerName): () => ClusterOfTwo {
  const program = useProgram(name);
  let cluster: ClusterOfTwo | undefined;
  beforeEach(async () => {
    if (cluster === undefined) cluster = await ClusterOfTwo.start(program());
    else await cluster.asNew();
  });
  afterAll(() => cluster?.remove());
  return () => {
    if (cluster === undefined) throw new Error(`${name} runs in tests only`);
    return cluster;
  };
}
