// The cursors of lists: opaque to clients, so that what they hold may change.
import { formatSessionId, parseSessionId } from "../../domain/session-id.js";

const SESSION_CURSOR_BYTES = 16;
const AUDIT_CURSOR_BYTES = 8;

export function sessionCursor(id: string): string {
  return Buffer.from(parseSessionId(id) ?? []).toString("base64url");
}

/** The session id, undefined where the text is no cursor of a list of sessions. */
export function readSessionCursor(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, "base64url");
  return bytes.length === SESSION_CURSOR_BYTES ? formatSessionId(bytes) : undefined;
}

export function auditCursor(number: number): string {
  const bytes = Buffer.alloc(AUDIT_CURSOR_BYTES);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes.toString("base64url");
}

/** The entry's number, undefined where the text is no cursor of the audit log. */
export function readAuditCursor(cursor: string): number | undefined {
  const bytes = Buffer.from(cursor, "base64url");
  return bytes.length === AUDIT_CURSOR_BYTES ? Number(bytes.readBigUInt64BE()) : undefined;
}

/** Of a list by name: any name will do, also one that is gone. */
export const nameCursor = (name: string): string => Buffer.from(name).toString("base64url");
export const readNameCursor = (cursor: string): string => Buffer.from(cursor, "base64url").toString();
