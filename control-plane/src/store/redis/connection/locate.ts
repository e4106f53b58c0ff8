// Where the primary is: the server that was named, the one that a Sentinel names, or the cluster's node that has the keys.
import type { Timers } from "../../../app/ports/log-ports.js";
import type { RedisAddress, SentinelAddress, ServerAddress } from "../../store-address.js";
import { connectTo } from "./client.js";
import type { Connected, ConnectParts } from "./client.js";
import { saidPlainly } from "./reply-errors.js";

/**
 * @param attempt counts up while what is found is no primary: another Sentinel is asked first each time, for one that is
 *   cut off from the others names the former primary
 * @throws where none of the Sentinels answers, or none knows the primary
 */
export async function primaryOf(
  { hosts, sentinel }: RedisAddress,
  tls: ConnectParts["tls"],
  attempt: number,
  timers: Timers,
): Promise<ServerAddress> {
  const [server] = hosts;
  if (sentinel === null) {
    if (server === undefined) throw new Error("it has no address");
    return server;
  }
  const failures: string[] = [];
  const first = attempt % sentinel.hosts.length;
  for (const at of [...sentinel.hosts.slice(first), ...sentinel.hosts.slice(0, first)]) {
    try {
      return await askedOf(at, sentinel, tls, timers);
    } catch (error) {
      failures.push(`${at.host}:${at.port}: ${saidPlainly(error)}`);
    }
  }
  throw new Error(`no Sentinel names the primary of ${sentinel.master}: ${failures.join("; ")}`);
}

async function askedOf(
  at: ServerAddress,
  { master, ...login }: SentinelAddress,
  tls: ConnectParts["tls"],
  timers: Timers,
): Promise<ServerAddress> {
  const connection = await connectTo(at, { login, tls, database: 0, timers, ended: () => undefined });
  try {
    const found = await connection.send(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", master]);
    if (!Array.isArray(found)) throw new Error("it does not know that name");
    const [host, port] = found as readonly string[];
    return { host: String(host), port: Number(port) };
  } finally {
    connection.end();
  }
}

/** Of a cluster: the primary of the slot that all keys are in. */
export async function ownerOfSlot(connection: Connected, key: string, asked: ServerAddress): Promise<ServerAddress> {
  const slot = Number(await connection.send(["CLUSTER", "KEYSLOT", key]));
  const ranges = (await connection.send(["CLUSTER", "SLOTS"])) as readonly (readonly unknown[])[];
  for (const [from, to, node] of ranges) {
    const [host, port] = node as readonly [string | null, number];
    // An empty host stands for the one that was asked.
    if (slot >= Number(from) && slot <= Number(to))
      return { host: host === null || host === "" ? asked.host : host, port };
  }
  throw new Error(`no node of the cluster serves slot ${slot}`);
}
