// A Redis or Valkey of a test's own: on a free port of this machine, in a folder that goes with it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisClient } from "@redis/client";

import { freePorts } from "../../../../scripts/start/ports.js";
import type { ServerProgram } from "../../../../scripts/test/get-store-servers.js";
import { Part } from "../../../../test/e2e/harness/part.js";
import { onFreePorts } from "../ports-tried.js";
import { CONFIGURATION, FIXTURE, serverConfiguration, SOCKET } from "./server-settings.js";
import type { ServerOptions, ServerPlace } from "./server-settings.js";

/** What a server answers: text, a number, nothing, or a list of them. */
export type Answer = string | number | null | Answer[] | { [name: string]: Answer };

const READY_TIMEOUT_MS = 50_000;
const ASK_AGAIN_MS = 10;
/** Of one class: `createClient` makes a new one for each address, which takes longer than to connect. */
export const newClient = RedisClient.factory();
const PORT_TAKEN = /Address already in use/;

export class StoreServer {
  private readonly part: Part;

  private constructor(
    program: ServerProgram,
    private readonly options: ServerOptions,
    private readonly place: ServerPlace,
  ) {
    const { folder } = place;
    const [configuration, logFile] = [join(folder, CONFIGURATION), join(folder, "server.log")];
    // Once: a server that becomes a primary or a replica writes so into it.
    writeFileSync(configuration, serverConfiguration(place, options));
    const as = options.sentinel === undefined ? [] : ["--sentinel"];
    const env = { PATH: process.env.PATH, ...program.env };
    const plan = { name: program.binary, command: program.binary, args: [configuration, ...as], env, logFile };
    this.part = new Part(plan, (ended) => this.untilReady(ended));
  }

  /** Resolves once it answers, and as a replica once it has what its primary has. */
  static async start(program: ServerProgram, options: ServerOptions = {}): Promise<StoreServer> {
    return onFreePorts(PORT_TAKEN, async () => {
      const [port = 0, busPort = 0] = await freePorts(2);
      const folder = mkdtempSync(join(tmpdir(), "sluice-server-"));
      const server = new StoreServer(program, options, { folder, port, busPort });
      try {
        await server.restart();
        if (options.replicaOf !== undefined) await server.following();
        return server;
      } catch (error) {
        await server.remove();
        throw error;
      }
    });
  }

  /** As `SLUICE_STORE` takes it: without a name and a password where none is needed. */
  get url(): string {
    const { tls, user, requirepass } = this.options;
    const login = user ?? (requirepass === undefined ? undefined : { name: "", password: requirepass });
    const before = login === undefined ? "" : `${[login.name, login.password].map(encodeURIComponent).join(":")}@`;
    return `${tls === undefined ? "redis" : "rediss"}://${before}127.0.0.1:${this.port}`;
  }

  /** On 127.0.0.1; the same over all its lives. */
  get port(): number {
    return this.place.port;
  }

  /** Where other servers of a cluster speak with it. */
  get busPort(): number {
    return this.place.busPort;
  }

  get pid(): number {
    return this.part.pid;
  }

  get running(): boolean {
    return this.part.running;
  }

  /** All that it has written so far, over all its lives. */
  get log(): string {
    return this.part.log;
  }

  /** Begins its next life: the same port, and what it kept in its folder. */
  restart(): Promise<void> {
    return this.part.start();
  }

  /** Resolves once it has, as a replica, what its primary has. */
  async following(): Promise<void> {
    await answeredYes(
      async () => (await this.info("master_link_status")) === "up",
      AbortSignal.timeout(READY_TIMEOUT_MS),
    );
  }

  /** As an operator ends it. */
  async stop(): Promise<void> {
    await this.part.stop();
  }

  /** As by a crash: nothing is written any more. */
  kill(): Promise<void> {
    return this.part.killHard();
  }

  /** It keeps its memory and its connections, and answers nothing until it is resumed. */
  pause(): void {
    this.part.pause();
  }

  resume(): void {
    this.part.resume();
  }

  /** It has nothing any more, in none of its databases. */
  async flush(): Promise<void> {
    await this.command("FLUSHALL");
  }

  /** Asks it past its listener: its ACL, its TLS and whatever stands before its port do not matter. */
  async command(...words: readonly string[]): Promise<Answer> {
    const [answer = null] = await this.commands(words);
    return answer;
  }

  /** `command` for several in turn, on one connection: WAIT speaks of the writes of its own alone. */
  async commands(...commands: readonly (readonly string[])[]): Promise<Answer[]> {
    const client = newClient({
      ...FIXTURE,
      socket: { path: join(this.place.folder, SOCKET), reconnectStrategy: false },
    });
    // What is lost is said by the command that is rejected.
    client.on("error", () => undefined);
    try {
      await client.connect();
      const answers: Answer[] = [];
      for (const words of commands) answers.push(await client.sendCommand<Answer>(words));
      return answers;
    } finally {
      client.destroy();
    }
  }

  /** One entry of what INFO says; undefined where it has none of that name. */
  async info(name: string): Promise<string | undefined> {
    const said = await this.command("INFO");
    const lines = typeof said === "string" ? said.split("\r\n") : [];
    return lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
  }

  /** Ends it, and its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.place.folder, { recursive: true, force: true });
  }

  private untilReady(ended: AbortSignal): Promise<void> {
    const giveUp = AbortSignal.any([ended, AbortSignal.timeout(READY_TIMEOUT_MS)]);
    return answeredYes(async () => {
      if ((await this.command("PING")) !== "PONG") return false;
      return this.options.cluster !== true || (await this.hasAllSlots());
    }, giveUp);
  }

  private async hasAllSlots(): Promise<boolean> {
    const said = await this.command("CLUSTER", "INFO");
    if (typeof said !== "string") return false;
    if (said.includes("cluster_slots_assigned:0")) await this.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    return said.includes("cluster_state:ok");
  }
}

/** Asks until the answer is yes; one that rejects is a no. Rejects once `giveUp` is aborted. */
async function answeredYes(ask: () => Promise<boolean>, giveUp: AbortSignal): Promise<void> {
  while (!(await ask().catch(() => false))) {
    giveUp.throwIfAborted();
    await delay(ASK_AGAIN_MS);
  }
}
