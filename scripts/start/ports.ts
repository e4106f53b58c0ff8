// Ports on this machine: which are free, and the error when one is not.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Failure } from "../failure.js";

const LOOPBACK = "127.0.0.1";

/** A port that something here will listen on, and the environment variable that moves it. */
export interface WantedPort {
  host: string;
  port: number;
  purpose: string;
  variable: string;
}

/** Rejects with a `Failure` that names the first port that cannot be listened on, and what changes it. */
export async function requireFree(wanted: readonly WantedPort[]): Promise<void> {
  for (const { host, port, purpose, variable } of wanted) {
    try {
      await close(await listen(host, port));
    } catch (error) {
      throw new Failure(`${reasonOf(error, host, port)}, so ${purpose} cannot start: set ${variable} to another port.`);
    }
  }
}

/** `count` different ports that are free on 127.0.0.1 now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(LOOPBACK, 0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

function reasonOf(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return `Port ${port} on ${host} is in use`;
  if (code === "EACCES") return `Port ${port} on ${host} is not permitted to this user`;
  return `Port ${port} on ${host} cannot be used (${error instanceof Error ? error.message : String(error)})`;
}
