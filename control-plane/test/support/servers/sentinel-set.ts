// A primary, its replicas and three sentinels that make a replica the primary when the other is gone.
import type { ServerProgram } from "../../../../scripts/test/get-store-servers.js";
import { knowsAll, primaryPortOf } from "./sentinel-answers.js";
import { lookWords } from "./sentinel-looks.js";
import type { Looks } from "./sentinel-looks.js";
import { FIXTURE } from "./server-settings.js";
import type { ServerOptions } from "./server-settings.js";
import { settled } from "./settled.js";
import { StoreServer } from "./store-server.js";
import { TcpProxy } from "./tcp-proxy.js";

export interface SentinelSetOptions {
  /** Of the primary and the replicas alike. */
  readonly server?: ServerOptions;
  /** How many; one by default. */
  readonly replicas?: number;
  /** Of the sentinels: their own user, their TLS. */
  readonly sentinel?: Pick<ServerOptions, "user" | "requirepass" | "tls">;
  /** After which a primary that does not answer is taken for gone. */
  readonly downAfterMs?: number;
  /** After which a failover that has not come to its end is given up. */
  readonly failoverTimeoutMs?: number;
}

/** A server of the set, and the network in front of it: whoever speaks with it, sentinels and its replicas too, goes through it. */
export interface Member {
  readonly server: StoreServer;
  readonly proxy: TcpProxy;
}

const MASTER = "sluice";
/** What replicas call from, and each of the sentinels: so the network can part a server from them alone. */
const REPLICAS_FROM = "127.0.0.2";
const SENTINELS_FROM = ["127.0.0.3", "127.0.0.4", "127.0.0.5"];
export const FELLOWS: readonly string[] = [REPLICAS_FROM, ...SENTINELS_FROM];
/**
 * How often the time each of the sentinels waits. Two find at once that the primary is gone; the third has no vote to give to
 * itself then, so that one of them wins the election: it would go another round where each had its own.
 */
const PATIENCE = [1, 1, 5];
const SENTINELS = PATIENCE.length;
const QUORUM = 2;
/** Longer than a slow machine keeps a primary from answering: that one would be replaced though no test asked for it. */
const DOWN_AFTER_MS = 1000;
const FAILOVER_TIMEOUT_MS = 3000;
export class SentinelSet {
  /** Those that hear nothing any more. */
  private readonly deaf = new Set<StoreServer>();

  private constructor(
    /** The first primary first. */
    readonly members: readonly [Member, Member, ...Member[]],
    readonly sentinels: readonly StoreServer[],
  ) {}

  /** Resolves once all sentinels know the replicas and one another. */
  static async start(program: ServerProgram, options: SentinelSetOptions = {}): Promise<SentinelSet> {
    const { downAfterMs = DOWN_AFTER_MS, failoverTimeoutMs = FAILOVER_TIMEOUT_MS, replicas = 1 } = options;
    const first = await memberOf(program, options.server ?? {});
    const asReplica = { ...options.server, replicaOf: first.proxy.port };
    const members: [Member, Member, ...Member[]] = [first, await memberOf(program, asReplica)];
    while (members.length <= replicas) members.push(await memberOf(program, asReplica));
    const watched = { master: MASTER, primaryPort: first.proxy.port, quorum: QUORUM };
    const sentinels: StoreServer[] = [];
    const set = new SentinelSet(members, sentinels);
    try {
      for (const [at, times] of PATIENCE.entries()) {
        const settings = { "bind-source-addr": SENTINELS_FROM[at] ?? "" };
        const sentinel = { ...watched, downAfterMs: downAfterMs * times, failoverTimeoutMs };
        const one = await StoreServer.start(program, { ...options.sentinel, sentinel, settings });
        sentinels.push(one);
      }
      await set.look("often");
      await set.complete();
      return set;
    } catch (error) {
      await set.remove();
      throw error;
    }
  }

  /** As `SLUICE_STORE` takes it. */
  get url(): string {
    return this.urlBy(this.sentinels);
  }

  /** The same with only these sentinels, in this order. */
  urlBy(sentinels: readonly StoreServer[]): string {
    const [{ server }] = this.members;
    const [scheme, rest = ""] = server.url.split("://");
    const login = rest.includes("@") ? `${rest.split("@")[0] ?? ""}@` : "";
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
    return `${scheme ?? ""}+sentinel://${login}${hosts}/${MASTER}`;
  }

  /** Who is the primary by what most sentinels say. */
  async primary(): Promise<Member> {
    const ports = await Promise.all(
      this.sentinels.filter(({ running }) => running).map((one) => primaryPortOf(one, MASTER)),
    );
    const isNamed = ({ proxy }: Member): boolean =>
      ports.filter((port) => port === String(proxy.port)).length > SENTINELS / 2;
    const named = this.members.find(isNamed);
    if (named === undefined) throw new Error(`the sentinels name ${ports.join(", ")}`);
    return named;
  }

  /** All others. */
  async replicas(): Promise<Member[]> {
    const primary = await this.primary();
    return this.members.filter((one) => one !== primary);
  }

  /** The other one, of two. */
  async replica(): Promise<Member> {
    const [one] = await this.replicas();
    if (one === undefined) throw new Error("a set has a replica");
    return one;
  }

  /** The replica follows no more: its connection is cut, and it is not let in again. It may still be made the primary. */
  async cutReplica(which?: Member): Promise<void> {
    const { server } = which ?? (await this.replica());
    await server.command("CONFIG", "SET", "masterauth", "a password that is none");
    await server.command("CLIENT", "KILL", "TYPE", "master");
  }

  /** From now on sentinels look so often. */
  async look(how: Looks): Promise<void> {
    for (const sentinel of this.hearing) await sentinel.command("SENTINEL", "DEBUG", ...lookWords(how));
  }

  /** It hears nothing of servers and of other sentinels from now on, and says to whoever asks what it knew last. */
  async deafen(sentinel: StoreServer): Promise<void> {
    this.deaf.add(sentinel);
    await sentinel.command("ACL", "SETUSER", FIXTURE.username, "-publish");
    const from = SENTINELS_FROM[this.sentinels.indexOf(sentinel)] ?? "";
    for (const { proxy } of this.members) proxy.partition(from);
  }

  /** As an operator does, though the primary is well: it becomes a replica. Resolves once another one is the primary. */
  async switchOver(): Promise<Member> {
    const [primary, sentinel] = [await this.primary(), this.hearing[0]];
    await this.look("patiently");
    await settled(async () => {
      if (sentinel === undefined || (await primaryPortOf(sentinel, MASTER)) !== String(primary.proxy.port)) return;
      // One that takes too long is given up: then another is begun.
      await sentinel.command("SENTINEL", "FAILOVER", MASTER).catch(() => undefined);
      throw new Error("the sentinel has not made another server the primary");
    });
    await this.look("often");
    return this.failedOver(primary);
  }

  /** Resolves once the sentinels have made another server the primary, and it takes writes. */
  failedOver(from: Member): Promise<Member> {
    return settled(async () => {
      const primary = await this.primary();
      if (primary === from) throw new Error("the sentinels still name the same primary");
      if ((await primary.server.info("role")) !== "master") throw new Error("the new primary does not know it yet");
      return primary;
    });
  }

  /** Resolves once the set is as at its start: the other servers follow the primary, and every sentinel knows them all. */
  async complete(): Promise<void> {
    await settled(async () => {
      const replicas = await this.replicas();
      for (const { server } of replicas)
        if ((await server.info("master_link_status")) !== "up") throw new Error("a replica does not follow");
      for (const sentinel of this.hearing)
        await knowsAll(sentinel, MASTER, { replicas: replicas.length, sentinels: SENTINELS });
    });
  }

  async remove(): Promise<void> {
    await Promise.all(this.sentinels.map((sentinel) => sentinel.remove()));
    await Promise.all(this.members.flatMap(({ server, proxy }) => [server.remove(), proxy.close()]));
  }

  private get hearing(): StoreServer[] {
    return this.sentinels.filter((one) => !this.deaf.has(one));
  }
}

async function memberOf(program: ServerProgram, options: ServerOptions): Promise<Member> {
  const proxy = await TcpProxy.listen();
  // By which the primary and the sentinels know it.
  const announced = { "replica-announce-ip": "127.0.0.1", "replica-announce-port": String(proxy.port) };
  const settings = { ...options.settings, ...announced, "bind-source-addr": REPLICAS_FROM };
  const server = await StoreServer.start(program, { ...options, settings });
  proxy.to(server.port);
  return { server, proxy };
}
