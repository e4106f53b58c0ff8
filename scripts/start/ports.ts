// Ports on this machine: which are free, and the error when one is not.
import { once } from "node:events";
import { createServer, type Server } from "node:net";
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

// Below the ports that the system gives to outgoing connections, so that none of them takes one in the moment before it is
// used. Test files that run at the same time each have a range of their own, by the first one of their run and their worker.
const FIRST_FREE_PORT = 20_000;
const PORTS_A_RANGE = 1500;
const RANGES = 8;
const range = (Number(process.env.FIRST_PORT_RANGE ?? 0) + Number(process.env.VITEST_POOL_ID ?? 0)) % RANGES;
let given = 0;

/** `count` different ports that are free on 127.0.0.1 now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === PORTS_A_RANGE) throw new Failure(`there are no ${count} free ports in ${PORTS_A_RANGE}`);
    const port = FIRST_FREE_PORT + range * PORTS_A_RANGE + (given++ % PORTS_A_RANGE);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(LOOPBACK, port));
    return true;
  } catch {
    return false;
  }
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
