// The policy in force: taken from where the operator writes it, judged, numbered, stored, and told to whoever sends it.
import { planById, type PlanOfPolicy } from "../domain/plan.js";
import type {
  JudgedPolicy,
  PolicyFault,
  PolicyJudge,
  PolicyPublisher,
  PolicyReading,
  PolicySource,
  PublishedPolicy,
} from "./policy-ports.js";
import { logAudit } from "./audit.js";
import type { AuditEvent, AuditStore } from "./audit-ports.js";
import type { ActivePolicy, Clock, CurrentPolicy, Logger, PolicyStore, SessionStore } from "./ports.js";

export interface PolicyServiceParts {
  readonly source: PolicySource;
  readonly judge: PolicyJudge;
  readonly store: PolicyStore;
  readonly audit: AuditStore;
  readonly sessions: Pick<SessionStore, "countLive">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of a fault in the audit log: it may repeat what stands in the file. */
const MAX_AUDITED_CHARS = 500;

/** What became of a document. */
type PolicyOutcome =
  | { readonly kind: "accepted" | "unchanged"; readonly generation: number }
  | { readonly kind: "refused"; readonly faults: readonly PolicyFault[] };

/** There is no policy to begin with. The message names every fault. */
export class NoPolicyError extends Error {
  override readonly name = "NoPolicyError";
  constructor(
    source: string,
    readonly faults: readonly PolicyFault[],
  ) {
    super(["there is no usable policy", ...faults.map((fault) => `  ${faultLine(fault, source)}`)].join("\n"));
  }
}

/** For a person: `policy.yaml:12:22: plans[1].maxTokens: expected …`. */
export function faultLine({ path, line, column, message }: PolicyFault, source: string): string {
  const place = line === null ? source : `${source}:${line}:${column ?? 1}`;
  return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

/** A policy with its number: at once what sessions are judged by and what edges are sent. */
interface Numbered extends JudgedPolicy, ActivePolicy, PublishedPolicy {}

/**
 * A document is taken whole or refused whole; refused, the policy before it stays. The generation grows by one with
 * each policy that differs from the one before, over restarts too, and is durable before anybody hears of the policy.
 */
export class PolicyService implements CurrentPolicy, PolicyPublisher {
  private readonly listeners = new Set<() => void>();
  private stopWatching: () => void = () => undefined;
  private fileRefused = false;

  private constructor(
    private readonly parts: PolicyServiceParts,
    private inForce: Numbered,
  ) {}

  /**
   * Takes the source's policy, or where that is unusable the one accepted last, and follows the source from then on.
   * Rejects with NoPolicyError where there is neither.
   */
  static async start(parts: PolicyServiceParts): Promise<PolicyService> {
    const stored = await parts.store.loadPolicy();
    const last = stored === undefined ? undefined : parts.judge.readPolicyDocument(stored.policyJson);
    const lastGood = last !== undefined && "policyJson" in last ? last : undefined;
    const reading = await readSource(parts);
    const before = stored?.generation ?? 0;
    const service =
      lastGood === undefined
        ? new PolicyService(parts, await first(parts, reading, before))
        : new PolicyService(parts, numbered(parts.judge, lastGood, before));
    if (lastGood !== undefined) await service.take(reading);
    service.stopWatching = parts.source.watch(() => service.reload());
    return service;
  }

  current(): ActivePolicy {
    return this.inForce;
  }

  published(): PublishedPolicy {
    return this.inForce;
  }

  /** Whether the source as it was read last was refused. */
  isFileRefused(): boolean {
    return this.fileRefused;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Follows the source no longer. The policy stays in force. */
  stop(): void {
    this.stopWatching();
  }

  /** False where the store failed, so that it is worth trying the same text again. */
  private async reload(): Promise<boolean> {
    try {
      await this.take(await readSource(this.parts));
      return true;
    } catch (error) {
      const fields = { type: "policy-store-failed", error: String(error), generation: this.inForce.generation };
      this.parts.logger.error(fields, "the store failed: the policy in force stays, and the new one is tried again");
      return false;
    }
  }

  private async take(reading: PolicyReading): Promise<void> {
    const outcome = await this.decide(reading);
    const { logger, source } = this.parts;
    const generation = this.inForce.generation;
    this.fileRefused = outcome.kind === "refused";
    if (outcome.kind === "refused") {
      const fields = { type: "policy-refused", source: source.name, faults: outcome.faults, generation };
      logger.error(fields, `policy refused, generation ${generation} stays in force`);
      const audited = refusal(this.parts, outcome.faults, generation);
      await this.parts.audit.appendAudit(audited);
      logAudit(logger, audited);
    } else {
      logger.info({ type: `policy-${outcome.kind}`, source: source.name, generation }, `policy ${outcome.kind}`);
    }
  }

  private async decide(reading: PolicyReading): Promise<PolicyOutcome> {
    if ("faults" in reading) return { kind: "refused", faults: reading.faults };
    const { generation, policyJson } = this.inForce;
    if (reading.policyJson === policyJson) return { kind: "unchanged", generation };
    const faults = await this.plansInUse(reading);
    if (faults.length > 0) return { kind: "refused", faults };
    this.inForce = await stored(this.parts, reading, generation + 1);
    for (const listener of this.listeners) listener();
    return { kind: "accepted", generation: this.inForce.generation };
  }

  /** A fault for each plan that the new policy lacks and that live sessions have. */
  private async plansInUse(next: JudgedPolicy): Promise<PolicyFault[]> {
    const removed = this.inForce.policy.plans.filter(({ id }) => planById(next.policy, id) === undefined);
    const faults = await Promise.all(removed.map((plan) => this.planInUse(plan)));
    return faults.filter((fault) => fault !== null);
  }

  private async planInUse({ id, name, lifetime }: PlanOfPolicy): Promise<PolicyFault | null> {
    const { clock, sessions } = this.parts;
    const live = await sessions.countLive(id, clock.nowMs() - lifetime);
    if (live === 0) return null;
    const having = live === 1 ? "1 live session has" : `${live} live sessions have`;
    const message = `plan "${name}" (id ${id}) cannot go while ${having} it; keep it, or end those and save again`;
    return { path: "plans", line: null, column: null, message };
  }
}

async function readSource({ source, judge }: PolicyServiceParts): Promise<PolicyReading> {
  let text: string;
  try {
    text = await source.read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { faults: [{ path: "", line: null, column: null, message: `cannot be read: ${reason}` }] };
  }
  return judge.readPolicyDocument(text);
}

/** The policy to begin with where none is stored, or none that this version can use. */
async function first(parts: PolicyServiceParts, reading: PolicyReading, before: number): Promise<Numbered> {
  if ("faults" in reading) throw new NoPolicyError(parts.source.name, reading.faults);
  const policy = await stored(parts, reading, before + 1);
  const fields = { type: "policy-accepted", source: parts.source.name, generation: policy.generation };
  parts.logger.info(fields, "policy accepted");
  return policy;
}

async function stored(parts: PolicyServiceParts, judged: JudgedPolicy, generation: number): Promise<Numbered> {
  const details = { source: parts.source.name, generation };
  const audited = eventOf(parts, "policy-accepted", details);
  await parts.store.savePolicy({ generation, policyJson: judged.policyJson }, audited);
  logAudit(parts.logger, audited);
  return numbered(parts.judge, judged, generation);
}

function numbered(judge: PolicyJudge, judged: JudgedPolicy, generation: number): Numbered {
  const pushedJson = (revision: string): string => judge.pushedPolicyJson(judged.policyJson, generation, revision);
  return { ...judged, generation, pushedJson };
}

/** Of what is wrong the first fault: all of them stand in the log. */
function refusal(parts: PolicyServiceParts, faults: readonly PolicyFault[], generation: number): AuditEvent {
  const { name: source } = parts.source;
  const [first] = faults;
  const fault = first === undefined ? null : faultLine(first, source).slice(0, MAX_AUDITED_CHARS);
  return eventOf(parts, "policy-refused", { source, generation, faults: faults.length, firstFault: fault });
}

function eventOf(
  { clock }: PolicyServiceParts,
  action: AuditEvent["action"],
  details: AuditEvent["details"],
): AuditEvent {
  return { at: clock.nowMs(), actor: "file", action, sessionId: null, details };
}
