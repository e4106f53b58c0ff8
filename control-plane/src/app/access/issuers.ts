// The issuers of a file that operators edit: whose token a header shows, by the list in force.
import { messageOf } from "../../domain/message-of.js";
import type { LocatedViolation } from "../../domain/policy/policy.js";
import { violationLine } from "../../domain/policy/violation-line.js";
import type { ShownViolation } from "../../domain/policy/violation-line.js";
import type { IssuerToken } from "../../domain/issuers/issuer.js";
import type { FollowedText } from "../ports/followed-text.js";
import type { Logger } from "../ports/ports.js";
import { sha256Of } from "../../domain/token-hash.js";
import { issuerOf, MAX_TOKEN_CHARS, MIN_TOKEN_CHARS } from "./admin.js";
import type { Issuer } from "./admin.js";
import { bearerOf } from "./credential.js";

export type IssuersReading =
  { readonly tokens: readonly IssuerToken[] } | { readonly violations: readonly LocatedViolation[] };

export interface IssuersParts {
  readonly source: FollowedText;
  readonly validate: (text: string | Uint8Array) => IssuersReading;
  readonly logger: Logger;
}

/** There is no list to begin with. The message names every violation, each in a line. */
export class NoIssuersError extends Error {
  override readonly name = "NoIssuersError";
}

export type ObservedIssuers = Pick<IssuersInForce, "holderOf" | "isFileRejected">;

/** Where there is no such file. */
export const NO_ISSUERS: ObservedIssuers = { holderOf: () => undefined, isFileRejected: () => false };

/** What is wrong with the source: one thing as a whole, or several in its text. */
type Rejection = readonly ShownViolation[];

/**
 * A text is taken whole or rejected whole; rejected, the list before it stays. It is looked at for each request, so a
 * token that is no longer in it is accepted for none that begins from then on.
 */
export class IssuersInForce {
  private isRejected = false;
  /** Why the source was rejected, as it was said last; null where it was not. */
  private said: string | null = null;
  private stopWatching: () => void = () => undefined;
  /** By the SHA-256 of their tokens: how long a look-up takes says nothing of a token that one could come closer to. */
  private issuers: ReadonlyMap<string, Issuer> = new Map();

  private constructor(private readonly parts: IssuersParts) {}

  /** Takes the source, and follows it from then on. Rejects with NoIssuersError where it cannot be used. */
  static async start(parts: IssuersParts): Promise<IssuersInForce> {
    const inForce = new IssuersInForce(parts);
    const reading = await inForce.read();
    if ("rejection" in reading) {
      const lines = reading.rejection.map((one) => `  ${violationLine(parts.source.name, one)}`);
      throw new NoIssuersError(["the issuers cannot be used", ...lines].join("\n"));
    }
    inForce.putInForce(reading.tokens);
    inForce.stopWatching = parts.source.watch(async () => {
      inForce.take(await inForce.read());
      return true;
    }, true);
    return inForce;
  }

  /** Undefined where the header shows none of their tokens, or one too short: of the file's only hashes are known. */
  holderOf(header: string | undefined): Issuer | undefined {
    const token = bearerOf(header) ?? "";
    if (token.length < MIN_TOKEN_CHARS || token.length > MAX_TOKEN_CHARS) return undefined;
    return this.issuers.get(sha256Of(token));
  }

  /** Whether the source as it was read last was rejected: what is in force is not what stands there. */
  isFileRejected(): boolean {
    return this.isRejected;
  }

  /** Follows the source no longer. The list stays in force. */
  stop(): void {
    this.stopWatching();
  }

  private async read(): Promise<{ readonly tokens: readonly IssuerToken[] } | { readonly rejection: Rejection }> {
    const { source, validate } = this.parts;
    try {
      const reading = validate(await source.read());
      return "tokens" in reading ? reading : { rejection: reading.violations };
    } catch (error) {
      return { rejection: [{ path: "", message: `cannot be read: ${messageOf(error)}` }] };
    }
  }

  private take(reading: Awaited<ReturnType<IssuersInForce["read"]>>): void {
    this.isRejected = "rejection" in reading;
    if ("rejection" in reading) this.sayRejected(reading.rejection);
    else {
      this.said = null;
      this.putInForce(reading.tokens);
    }
  }

  /** Once, however often it is read again. */
  private sayRejected(violations: Rejection): void {
    const { logger, source } = this.parts;
    const said = JSON.stringify(violations);
    if (said === this.said) return;
    this.said = said;
    const where = violations.map((one) => violationLine(source.name, one)).join("; ");
    const fields = { event: "issuers-rejected", source: source.name, violations };
    logger.error(fields, `the issuers' file is rejected, the list before it stays in force: ${where}`);
  }

  private putInForce(tokens: readonly IssuerToken[]): void {
    const { logger, source } = this.parts;
    const before = new Set([...this.issuers.values()].map(({ actor }) => actor));
    this.issuers = new Map(tokens.map((one) => [one.tokenSha256, issuerOf(one)]));
    const now = new Set([...this.issuers.values()].map(({ actor }) => actor));
    const added = [...now].filter((actor) => !before.has(actor));
    const removed = [...before].filter((actor) => !now.has(actor));
    const fields = { event: "issuers-accepted", source: source.name, tokens: tokens.length, added, removed };
    logger.info(fields, "issuers accepted");
  }
}
