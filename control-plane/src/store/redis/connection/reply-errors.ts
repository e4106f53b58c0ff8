// What servers answer in place of a result, in words for an operator.
import { ErrorReply } from "@redis/client";

import { StoreUnwritable } from "../../../app/ports/store-health.js";
import { ANOTHER_STORE } from "../scripts.js";

/** An answer that begins so says that this server is no primary: another one is, or will be. */
const ELSEWHERE = ["READONLY", "MOVED", "ASK", "CLUSTERDOWN", "MASTERDOWN", "UNBLOCKED"];
/** Of a server that was made a replica between a write and this question about it; without a code of its own. */
const DEMOTED = ["ERR WAIT cannot be used with replica"];
/** The server takes reads, and no writes for now. */
const UNWRITABLE = ["OOM", "MISCONF", "NOREPLICAS", "TRYAGAIN", "NOPERM", "BUSY", "LOADING"];
/** A script has met a key that a cluster's node does not have, or that no node answers for. */
const NOT_HERE =
  /^ERR Script attempted to (access a non local key|execute a (write )?command while the cluster is down)/;

/**
 * What a failed command says. elsewhere: this server is not the store's primary, or holds another store. unwritable: it
 * takes no write for now. away: it did not answer. fault: it answered, and this program has asked for what cannot be.
 */
export type Failure = "elsewhere" | "unwritable" | "away" | "fault";

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreUnwritable) return "unwritable";
  if (!(error instanceof ErrorReply)) return "away";
  const { message } = error;
  if (startsWith(message, [...ELSEWHERE, ...DEMOTED]) || message.startsWith(ANOTHER_STORE)) return "elsewhere";
  return startsWith(message, UNWRITABLE) || NOT_HERE.test(message) ? "unwritable" : "fault";
}

const startsWith = (message: string, codes: readonly string[]): boolean =>
  codes.some((code) => message.startsWith(`${code} `) || message.startsWith(`-${code} `));

export const isOfFullness = (error: unknown): boolean => error instanceof Error && startsWith(error.message, ["OOM"]);
/** A cluster's slot is another node's for good. */
export const isMoved = (error: unknown): boolean => error instanceof Error && startsWith(error.message, ["MOVED"]);
export const isNoScript = (message: string): boolean => startsWith(message, ["NOSCRIPT"]);
const isDenied = (message: string): boolean => startsWith(message, ["NOAUTH", "WRONGPASS", "NOPERM", "ERR AUTH"]);

/** Of a failure to reach a server, or of its answer. Never holds what was sent. */
export function saidPlainly(error: unknown): string {
  const message = error instanceof Error ? messageIn(error) : String(error);
  if (isDenied(message)) return `it rejects the credentials (${message})`;
  if (startsWith(message, ["OOM"])) return `it is full: its used memory is above its maxmemory (${message})`;
  if (startsWith(message, ["MISCONF"])) return `its disk fails (${message})`;
  if (startsWith(message, ["NOREPLICAS"])) return `it has too few replicas (${message})`;
  if (startsWith(message, ["READONLY", ...DEMOTED])) return `it is a replica (${message})`;
  if (startsWith(message, ["TRYAGAIN", "ASK"]) || NOT_HERE.test(message))
    return `its cluster is moving the slot, or has too few nodes (${message})`;
  if (startsWith(message, ["LOADING"])) return `it is loading its data (${message})`;
  return message;
}

/** Of several addresses of one name, Node gives one error that says nothing. */
function messageIn(error: Error): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(saidPlainly).join("; ");
  return error.message === "" ? error.name : error.message;
}
