// The command that says what a session token is: whose session, under which plan, and whether it is genuine.
import { TOKEN_CHARS } from "../../../../assembly/contract.js";
import { idTimeMs } from "../../domain/session-id.js";
import { readToken } from "../../domain/token.js";
import type { ReadToken } from "../../domain/token.js";
import { MAX_SECRET_FILE_BYTES } from "../../settings/secret-text.js";
import type { LocalCommand } from "../command.js";
import { EXIT, usageFailure } from "../failure.js";
import type { Failure } from "../failure.js";
import { timeText } from "../terminal/output.js";
import type { Output } from "../terminal/output.js";
import { readSource } from "./document-source.js";
import { readKeys } from "./installation-keys.js";
import type { NamedKeys } from "./installation-keys.js";

const LIKE_A_TOKEN = new RegExp(`^[A-Za-z0-9_-]{${TOKEN_CHARS}}$`);

export const tokenInspect: LocalCommand = {
  name: "token inspect",
  summary: "show what a session token says, and whether it is genuine",
  args: [{ name: "FILE", what: "the token is in it; - for the standard input. Never the token itself" }],
  options: {
    "secret-file": { kind: "text", value: "FILE", what: "the secret is in this file (else SLUICE_SECRET)" },
    unchecked: { kind: "flag", what: "without a secret: what the token says, which may be invented" },
  },
  notes: [
    "Asks no control plane. It tries SLUICE_SECRET and SLUICE_SECRET_ALSO, or SLUICE_SECRET_FILE and so on.",
    "Exit code 1: malformed, or made with none of these secrets.",
    "The plan is the one that the token was made with: the session's own may have been changed since.",
  ],
  example: "token inspect ada.token --secret-file .sluice/secret",
  next: "sluice session show ID   shows whether the session is live",
  runLocally: async (invocation) => {
    const { args, text, flag, io, output } = invocation;
    const file = args[0] ?? "";
    if (LIKE_A_TOKEN.test(file)) {
      return usageFailure("FILE is a token: the history of your shell has it now", "Name a file, or - and pipe it");
    }
    if (flag("unchecked") && text("secret-file") !== undefined) {
      return usageFailure("--unchecked and --secret-file exclude each other");
    }
    const keys = flag("unchecked") ? undefined : await readKeys(text("secret-file"), invocation);
    if (keys?.ok === false) return keys.failure;
    if (keys?.value.length === 0) {
      return usageFailure("no secret: SLUICE_SECRET is not set", "Set it or SLUICE_SECRET_FILE, or add --unchecked");
    }
    const source = await readSource(file, MAX_SECRET_FILE_BYTES, io);
    if (!source.ok) return source.failure;
    const reading = readToken(Buffer.from(source.value.bytes).toString("utf8").trim());
    if ("violation" in reading) {
      const message = `${source.value.name}: ${reading.violation}`;
      return { exit: EXIT.denied, code: "TOKEN_MALFORMED", message };
    }
    return shown(reading.token, keys?.value, output);
  },
};

/** @param keys undefined: it is not to be checked */
function shown(token: ReadToken, keys: readonly NamedKeys[] | undefined, output: Output): Failure | undefined {
  const { sessionId, planId, keyId } = token;
  const maker = keys?.find((one) => token.isMadeWith(one.keys));
  const genuine = keys === undefined ? null : maker !== undefined;
  const createdAt = idTimeMs(sessionId);
  if (output.json) output.document({ sessionId, planId, keyId, createdAt, genuine, madeWith: maker?.from ?? null });
  else {
    output.fields([
      ["session", sessionId],
      ["created", timeText(createdAt)],
      ["plan id", planId],
      ["key id", keyId],
      ["genuine", genuine === null ? "not checked" : genuine ? `yes, made with ${maker?.from ?? ""}` : "no"],
    ]);
  }
  if (keys === undefined || maker !== undefined) return undefined;
  return { exit: EXIT.denied, code: "TOKEN_NOT_GENUINE", message: whyNot(keyId, keys) };
}

function whyNot(keyId: number, tried: readonly NamedKeys[]): string {
  const same = tried.find(({ keys }) => keys.keyId === keyId);
  if (same !== undefined) return `its tag is not that of ${same.from}: it was changed or invented`;
  const ids = tried.map(({ from, keys }) => `${from} has ${keys.keyId}`).join(", ");
  return `another secret made it, or none: its key id is ${keyId}, and ${ids}`;
}
