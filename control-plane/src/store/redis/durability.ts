// What the server promises of what it has acknowledged. Less than the store needs is said once a link; a server that drops
// keys to make room is not written to.
import type { Logger } from "../../app/ports/ports.js";
import type { Connected, Reply } from "./connection/client.js";
import { failureOf } from "./connection/reply-errors.js";
import type { ServerInfo } from "./connection/server-life.js";
import { KEYS } from "./keys.js";

/** What the server must say of each, for an acknowledged write to outlive a crash of its machine. */
const WANTED = { appendonly: "yes", appendfsync: "always" } as const;
const KEEPS_ALL = "noeviction";

export interface DurabilityMeter {
  /** Whether what is acknowledged is on the server's disk; false also where the server does not tell. */
  durable(isSo: boolean): void;
}

export interface DurabilityParts {
  /** How many replicas a write waits for. */
  readonly replicas: number;
  readonly logger: Pick<Logger, "warn" | "error">;
  readonly meter: DurabilityMeter;
}

interface Asked {
  readonly info: ServerInfo;
  readonly reads: Pick<Connected, "send">;
}

export class Durability {
  /** The policy by which it drops keys. */
  private evictsBy: string | undefined;

  constructor(private readonly parts: DurabilityParts) {}

  /** Why nothing may be written, for the operator; undefined where it may. */
  refusal(): string | undefined {
    if (this.evictsBy === undefined) return undefined;
    return `its maxmemory-policy is ${this.evictsBy}, by which it may drop sessions: set it to ${KEEPS_ALL}`;
  }

  /** Of each look at the server. */
  note({ evictionPolicy }: Pick<ServerInfo, "evictionPolicy">): void {
    const evictsBy = ["", KEEPS_ALL].includes(evictionPolicy) ? undefined : evictionPolicy;
    if (evictsBy !== undefined && evictsBy !== this.evictsBy) {
      const fields = { event: "store-evicts", policy: evictsBy };
      this.parts.logger.error(fields, "the store may drop sessions to make room: nothing is written until it may not");
    }
    this.evictsBy = evictsBy;
  }

  /** Of each link. Resolves once the server has been asked. */
  async linked({ life }: { readonly life: Asked }): Promise<void> {
    const { replicas, logger, meter } = this.parts;
    this.note(life.info);
    if (life.info.replicas > 0 && replicas === 0) {
      const fields = { event: "store-replicas-not-waited", replicas: life.info.replicas };
      logger.warn(fields, "no write waits for a replica: a failover loses what the new primary has not received");
    }
    let reason: string | undefined;
    try {
      reason = await whyNotDurable(life.reads);
    } catch {
      // The link has ended, and the next one is asked.
      return;
    }
    meter.durable(reason === undefined);
    if (reason === undefined) return;
    logger.warn({ event: "store-not-durable", reason }, "a crash of the store's machine may lose acknowledged writes");
  }
}

/** Undefined where it is. Rejects where the server cannot be reached any more. */
async function whyNotDurable(server: Asked["reads"]): Promise<string | undefined> {
  try {
    const weak = weakIn(await server.send(["CONFIG", "GET", ...Object.keys(WANTED)]));
    return weak ?? lostAtStart(await server.send(["ACL", "DRYRUN", "default", "HSET", KEYS.meta, "field", "value"]));
  } catch (error) {
    if (failureOf(error) === "away" || !(error instanceof Error)) throw error;
    return `it does not say (${error.message})`;
  }
}

/** @param settings names and values in turn */
function weakIn(settings: Reply): string | undefined {
  const found = Array.isArray(settings) ? settings.map(String) : [];
  for (const [name, wanted] of Object.entries(WANTED)) {
    const at = found.indexOf(name);
    const value = at < 0 ? "not told" : String(found[at + 1]);
    if (value !== wanted) return `${name} is ${value}, and not ${wanted}`;
  }
  return undefined;
}

/**
 * Redis 7 and Valkey 8 load what a script wrote by the rules of the user "default", and leave out what that one may not write,
 * also where nobody can log in as it.
 */
function lostAtStart(answer: Reply): string | undefined {
  if (answer === "OK") return undefined;
  return "its user default may not write, so a restart may lose what scripts wrote: user default off ~* &* +@all";
}
