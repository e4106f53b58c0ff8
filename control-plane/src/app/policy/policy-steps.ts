// The steps from a document to a numbered policy: read, validated, stored with its entry in the audit log.
import { messageOf } from "../../domain/message-of.js";
import { violationLine } from "../../domain/policy/violation-line.js";
import type { AuditEvent } from "../../domain/stored.js";
import { sha256Of } from "../../domain/token-hash.js";
import { withoutEdgeSettings } from "../../domain/policy/stored-policy.js";
import type { FollowedText } from "../ports/followed-text.js";
import type { AuditStore } from "../ports/audit-ports.js";
import { logAudit } from "../access/audit.js";
import type {
  AcceptedPolicy,
  PolicyViolation,
  PolicyValidator,
  PolicyReading,
  PolicyText,
  PublishedPolicy,
} from "../ports/policy-ports.js";
import type { Logger, PolicyStore, SessionStore, SteadyClock, StoredPolicy } from "../ports/ports.js";
import type { Timers } from "../ports/log-ports.js";
import type { OperatorStore } from "../ports/operator-ports.js";
import { publishedPolicy } from "./published-policy.js";

export interface PolicyServiceParts {
  readonly source: FollowedText;
  readonly validate: PolicyValidator;
  readonly store: PolicyStore;
  readonly audit: AuditStore;
  readonly sessions: Pick<SessionStore, "countLive">;
  readonly operator: Pick<OperatorStore, "sessionsBefore">;
  readonly clock: SteadyClock;
  readonly logger: Logger;
  /** Where other processes decide on policies too, over the same store. */
  readonly shared?: (Pick<SessionStore, "position"> & { readonly timers: Timers }) | undefined;
}

/** Of a violation in the audit log: it may repeat what is in the file. */
const MAX_AUDITED_CHARS = 500;

/** There is no policy to begin with. The message names every violation. */
export class NoPolicyError extends Error {
  override readonly name = "NoPolicyError";
  constructor(
    source: string,
    readonly violations: readonly PolicyViolation[],
  ) {
    super(
      ["there is no usable policy", ...violations.map((violation) => `  ${violationLine(source, violation)}`)].join(
        "\n",
      ),
    );
  }
}

/** A policy with its number: at once what sessions are decided by and what edges are given. When it was decided, and where. */
export interface Numbered extends AcceptedPolicy, PublishedPolicy, Pick<StoredPolicy, "atMs" | "source"> {}

/** `isUnread`: it could not be read, which says nothing of what stands there. Else `textHash` tells texts apart. */
export type SourceReading = PolicyReading & { readonly isUnread?: true; readonly textHash?: string };

/** Never rejects. */
export async function readSource(parts: PolicyServiceParts): Promise<SourceReading> {
  let text: PolicyText;
  try {
    text = await parts.source.read();
  } catch (error) {
    return { violations: [wholly(`cannot be read: ${messageOf(error)}`)], isUnread: true };
  }
  return { ...validated(parts, text), textHash: sha256Of(text) };
}

/** A violation of this program is said of the document, whichever it is: the policy in force serves on. */
function validated({ validate, logger }: PolicyServiceParts, text: PolicyText): PolicyReading {
  try {
    return validate.readPolicyDocument(text);
  } catch (error) {
    logger.error({ event: "policy-validator-failed", err: error }, "the validator failed: a violation of this program");
    return { violations: [wholly(`the validator failed: ${messageOf(error)}`)] };
  }
}

export const wholly = (message: string): PolicyViolation => ({ path: "", line: null, column: null, message });

/** Another version has published what this one cannot read. */
export class UnreadableGeneration extends Error {
  constructor(readonly generation: number) {
    super(`the stored policy, generation ${generation}, is none that this version can read`);
  }
}

/** What the store could not do, so that it is not taken for anybody else's failure. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
}

/** @throws StoreFailure */
export async function ofStore<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw new StoreFailure(messageOf(error), { cause: error });
  }
}

/** For whoever called: what the store said itself. */
export async function causeThrown<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreFailure && error.cause instanceof Error) throw error.cause;
    throw error;
  }
}

/** An operator's word for a policy that would end so many sessions. */
export interface Confirmed {
  /** The public name of who gave it. */
  readonly actor: string;
  readonly sessions: number;
}

/** The generation that is stored before a decision, and the decision's own number: a higher one. */
export interface Numbers {
  readonly before: number;
  readonly generation: number;
}

/** Undefined where the stored generation is no longer the one before. */
export async function saved(
  parts: PolicyServiceParts,
  accepted: AcceptedPolicy,
  { before, generation }: Numbers,
  confirmed?: Confirmed,
): Promise<Numbered | undefined> {
  const { store, source, clock, logger } = parts;
  const decidedAtMs = clock.monotonicMs();
  const { policyJson, hash, ...next } = publishedOf(accepted, { generation, sinceMs: decidedAtMs, decidedAtMs });
  const details = { source: source.name, generation };
  const audited =
    confirmed === undefined
      ? eventOf(parts, "policy-accepted", details)
      : eventOf(parts, "policy-confirmed", { ...details, hash, sessions: confirmed.sessions }, confirmed.actor);
  const decision = { generation, policyJson, hash, atMs: audited.at, source: source.name };
  if (!(await ofStore(store.savePolicy(decision, before, audited)))) return undefined;
  logAudit(logger, audited);
  return { ...next, ...decision };
}

/** A stored generation; undefined where it is not kept, or this version cannot read it. */
export async function stored(parts: PolicyServiceParts, generation: number): Promise<Numbered | undefined> {
  const found = await ofStore(parts.store.policy(generation));
  const accepted = found && readStored(parts, found);
  if (found === undefined || accepted === undefined) return undefined;
  const { atMs, source } = found;
  return {
    ...publishedOf(accepted, { generation, sinceMs: parts.clock.monotonicMs(), decidedAtMs: null }),
    atMs,
    source,
  };
}

/** As this version would write it; undefined where it cannot read it. */
export function readStored(parts: PolicyServiceParts, { policyJson }: StoredPolicy): AcceptedPolicy | undefined {
  const reading = validated(parts, withoutEdgeSettings(policyJson));
  return "violations" in reading ? undefined : reading;
}

function publishedOf(
  accepted: AcceptedPolicy,
  number: Pick<PublishedPolicy, "generation" | "sinceMs" | "decidedAtMs">,
): AcceptedPolicy & PublishedPolicy {
  return { ...publishedPolicy({ ...accepted, ...number }), ...accepted };
}

/** Of what is wrong the first violation: all of them stand in the log. */
export function rejection(
  parts: PolicyServiceParts,
  violations: readonly PolicyViolation[],
  generation: number,
): AuditEvent {
  const { name: source } = parts.source;
  const [first] = violations;
  const violation = first === undefined ? null : violationLine(source, first).slice(0, MAX_AUDITED_CHARS);
  return eventOf(parts, "policy-rejected", {
    source,
    generation,
    violations: violations.length,
    firstViolation: violation,
  });
}

export function eventOf(
  { clock }: PolicyServiceParts,
  action: AuditEvent["action"],
  details: AuditEvent["details"],
  actor = "file",
): AuditEvent {
  return { at: clock.nowMs(), actor, action, sessionId: null, details };
}
