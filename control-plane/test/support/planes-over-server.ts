// Control planes as processes over one Redis or Valkey, each on ports that stay the same over its lives.
import { writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { createRedisStore } from "../../src/store/redis/create-store.js";
import { deriveKeys } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, knownPorts, ready, SECRET, settingsIn, temporaryFolder } from "./process.js";
import type { Ended } from "./process.js";
import type { RedisAddress } from "../../src/store/store-address.js";
import { nodeTimers } from "../../src/files/node-timers.js";
import { onFreePorts } from "./ports-tried.js";
import { newRedisStore, serverAt } from "./redis-store.js";
import type { ServerUser } from "./servers/server-settings.js";
import { sessionAt } from "./sessions.js";

export interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

/** A caller that has waited for so long goes away. */
const PATIENCE_MS = 25_000;
/** A process has at most 4,096 updates under way. */
const AT_ONCE = 1000;
const PORT_TAKEN = /is already in use/;
/** Each call has a connection of its own: one at rest could be closed by a control plane that stops, just as it is used again. */
const ALONE = { connection: "close" };
const ADMIN = { ...ALONE, authorization: `Bearer ${ADMIN_TOKEN}` };
const EDGE = { ...ALONE, authorization: `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}` };

/**
 * Makes the server's database 0 a store, as `sluice store init` does.
 * @param user whom it asks for, where it asks for one
 * @param more how else one gets in there
 */
export async function initStore(port: number, user?: ServerUser, more: Partial<RedisAddress> = {}): Promise<void> {
  const login = user === undefined ? {} : { username: user.name, password: user.password };
  await createRedisStore(serverAt(port, { ...login, ...more }), { bytes: (n) => randomBytes(n) }, nodeTimers);
}

/** Makes it a store with so many sessions of the user u1, the newest of which was issued so long ago. */
export async function initFilledStore(port: number, count: number, agoMs: number): Promise<void> {
  const store = await newRedisStore(serverAt(port));
  const first = Date.now() - agoMs - count;
  const sessions = Array.from({ length: count }, (_, i) => sessionAt(first + i));
  for (let from = 0; from < count; from += AT_ONCE)
    await Promise.all(sessions.slice(from, from + AT_ONCE).map((session) => store.create(session)));
}

/** A URL with a password is given as a file, as operators have to. */
function storeIn(url: string): Record<string, string> {
  if (!url.includes("@")) return { SLUICE_STORE: url };
  const file = join(temporaryFolder(), "store");
  writeFileSync(file, url, { mode: 0o600 });
  return { SLUICE_STORE_FILE: file };
}

export class Plane {
  private process: ControlPlaneProcess | undefined;
  private earlier = "";

  private constructor(
    private readonly settings: Record<string, string>,
    readonly url: string,
    readonly status: string,
  ) {}

  /** Not ready yet: its store may be missing. `more`: settings beside the store's URL. `policy`: the text of its file. */
  static async begin(store: string, more: Readonly<Record<string, string>> = {}, policy?: string): Promise<Plane> {
    const { settings, url, status } = await knownPorts({ ...settingsIn(), ...storeIn(store), ...more });
    delete settings.SLUICE_DATA_DIR;
    const plane = new Plane(settings, url, status);
    if (policy !== undefined) plane.writePolicy(policy);
    plane.launch();
    return plane;
  }

  static async start(store: string, more: Readonly<Record<string, string>> = {}, policy?: string): Promise<Plane> {
    return onFreePorts(PORT_TAKEN, async () => {
      const plane = await Plane.begin(store, more, policy);
      await plane.ready();
      return plane;
    });
  }

  /** All that it has logged, over all its lives. */
  get log(): string {
    return this.earlier + this.now.stdout;
  }

  /** Its lines of this event. */
  events(event: string): Record<string, unknown>[] {
    const lines = this.log.split("\n").filter((line) => line.includes(`"event":"${event}"`) && line.endsWith("}"));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Rejects with what it has said where it is not ready in time, or has ended. */
  async ready(): Promise<void> {
    const { ended } = this.now;
    const isOver = ended.then(({ code, signal }) => {
      throw new Error(`a control plane ended with ${signal ?? code ?? "nothing"}`);
    });
    try {
      await Promise.race([ready(this.status), isOver]);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.log}${this.now.stderr}`, { cause: error });
    }
  }

  /** What /readyz answers: its status, and why. */
  async readiness(): Promise<{ readonly status: number; readonly why: string }> {
    const answer = await fetch(`${this.status}/readyz`);
    return { status: answer.status, why: await answer.text() };
  }

  /** The sum of a metric's samples, whatever their labels; 0 where there is none. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.status}/metrics`)).text();
    const samples = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async kill(): Promise<void> {
    this.now.kill("SIGKILL");
    await this.now.ended;
  }

  /** As an operator ends it. */
  async stop(): Promise<Ended> {
    this.now.kill("SIGTERM");
    return this.now.ended;
  }

  /** Its next life. */
  async restart(): Promise<void> {
    this.earlier = this.log;
    this.launch();
    await this.ready();
  }

  /** What its policy file holds from now on. */
  writePolicy(text: string): void {
    writeFileSync(this.settings.SLUICE_POLICY ?? "", text);
  }

  /** A call of the REST API by an operator. Rejects where there is no answer. */
  operator(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answered> {
    return this.call(method, path, body, { ...ADMIN, ...headers });
  }

  /** A call of the edge protocol. Rejects where there is no answer. */
  edge(path: "acquire" | "report" | "lease" | "watch", body: object, signal?: AbortSignal): Promise<Answered> {
    return this.call("POST", `/edge/v1/${path}`, body, EDGE, signal);
  }

  private async call(
    method: string,
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
    signal: AbortSignal = AbortSignal.timeout(PATIENCE_MS),
  ): Promise<Answered> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(this.url + path, { method, headers: { ...headers, ...type }, ...sent, signal });
    const text = await answer.text();
    const { status } = answer;
    return { status, body: text === "" ? undefined : JSON.parse(text), retryAfter: answer.headers.get("retry-after") };
  }

  private get now(): ControlPlaneProcess {
    if (this.process === undefined) throw new Error("this control plane has not been started");
    return this.process;
  }

  private launch(): void {
    this.process = new ControlPlaneProcess(this.settings);
  }
}

/** A session that was issued there for this user. */
export async function issued(plane: Plane, userId = "u1"): Promise<string> {
  const { status, body } = await plane.operator("POST", "/v1/sessions", { userId, orgId: "o1" });
  if (status !== 201) throw new Error(`no session was issued: ${status} ${JSON.stringify(body)}`);
  return (body as { session: { id: string } }).session.id;
}

export async function stateOf(plane: Plane, id: string): Promise<string> {
  const { body } = await plane.operator("GET", `/v1/sessions/${id}`);
  return (body as { session: { state: string } }).session.state;
}
