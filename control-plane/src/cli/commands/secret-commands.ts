// The commands that make secrets and say a token's hash: nobody pastes a line of a shell for one. They ask no control plane.
import { whyUnreadable } from "../../files/file-reader.js";
import { codeOf } from "../../files/regular-file.js";
import { digitsOf, sha256Of } from "../../domain/token-hash.js";
import { isHeaderSafe, MAX_SECRET_FILE_BYTES } from "../../settings/secret-text.js";
import type { Invocation, LocalCommand } from "../command.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Failure, Outcome } from "../failure.js";
import { readSource } from "./document-source.js";

const KINDS = ["secret", "admin-token", "issuer-token"] as const;
type Kind = (typeof KINDS)[number];

/** As docs/session-token.md wants a secret; a token is as hard to guess. */
const RANDOM_BYTES = 32;
const NOTHING_ASKED = "Asks no control plane, and needs no token.";
/** A token has one spelling in every shell, URL and header. */
const ENCODINGS: Readonly<Record<Kind, "base64" | "base64url">> = {
  secret: "base64",
  "admin-token": "base64url",
  "issuer-token": "base64url",
};

export const secretNew: LocalCommand = {
  name: "secret new",
  summary: "make a fresh secret, or an admin or issuer token, of 32 random bytes",
  args: [],
  options: {
    kind: { kind: "text", value: "KIND", values: KINDS, what: "secret (SLUICE_SECRET, the default), or a token" },
    out: {
      kind: "text",
      value: "FILE",
      what: "write it there, for your eyes only (mode 0600), and print nothing of it",
    },
    replace: { kind: "flag", what: "with --out: replace what stands there" },
  },
  notes: [
    NOTHING_ASKED,
    "An issuer's token comes with its SHA-256: the line tokenSha256 of SLUICE_ISSUERS_FILE.",
    "Replacing the secret of a running installation denies every session. See docs/operations.md for its rotation.",
  ],
  example: "secret new --out secret",
  next: "SLUICE_SECRET_FILE=secret   is how the control plane takes it; Envoy takes SLUICE_SECRET",
  runLocally: async (invocation) => {
    const { text, flag, io } = invocation;
    const kind = (text("kind") ?? "secret") as Kind;
    const [out, secret] = [text("out"), io.randomBytes(RANDOM_BYTES).toString(ENCODINGS[kind])];
    if (out === undefined) {
      if (flag("replace")) return usageFailure("--replace needs --out");
      printed(secret, kind, invocation);
      return undefined;
    }
    const failure = await written(out, secret, invocation);
    if (failure === undefined) told(out, secret, kind, invocation);
    return failure;
  },
};

function printed(secret: string, kind: Kind, { io, output }: Invocation): void {
  const hash = kind === "issuer-token" ? { tokenSha256: sha256Of(secret) } : {};
  if (output.json) output.document({ kind, secret, ...hash });
  else if (kind !== "issuer-token") output.line(secret);
  else output.fields([["token", secret], ...Object.entries(hash)]);
  if (io.isTerminal) output.remark("This terminal may keep it in its scrollback. --out FILE shows it to nobody");
}

async function written(out: string, secret: string, { flag, io }: Invocation): Promise<Failure | undefined> {
  try {
    await io.writePrivate(out, `${secret}\n`, flag("replace"));
    return undefined;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") return usageFailure(`--out: ${out} cannot be written: ${whyUnreadable(error)}`);
    return usageFailure(`--out: ${out} is there already`, "Name another file, or replace it with --replace");
  }
}

function told(out: string, secret: string, kind: Kind, { output }: Invocation): void {
  const hash = kind === "issuer-token" ? { tokenSha256: sha256Of(secret) } : {};
  if (output.json) output.document({ kind, file: out, ...hash });
  else output.fields([["file", out], ...Object.entries(hash)]);
}

export const secretHash: LocalCommand = {
  name: "secret hash",
  summary: "print the SHA-256 of a token, as the issuers' file and the audit log know it",
  args: [{ name: "FILE", what: "it holds the token, an admin's or an issuer's; - for the standard input" }],
  options: {},
  notes: [
    NOTHING_ASKED,
    "Whitespace around the token does not count. Who it is in the audit log are the first 8 digits.",
  ],
  example: "secret hash .sluice/admin-token",
  next: "sluice audit   shows what was done with it",
  runLocally: async (invocation) => {
    const { args, io, output } = invocation;
    const read = await readTokens(args[0] ?? "", io);
    if (!read.ok) return read.failure;
    const hash = sha256Of(read.value);
    if (output.json) output.document({ tokenSha256: hash, publicName: digitsOf(hash) });
    else output.line(hash);
    return undefined;
  },
};

/** One token, such as `secret new` writes. */
async function readTokens(file: string, io: Invocation["io"]): Promise<Outcome<string>> {
  const source = await readSource(file, MAX_SECRET_FILE_BYTES, { ...io, readFile: io.readSecret });
  if (!source.ok) return source;
  const token = Buffer.from(source.value.bytes).toString("utf8").trim();
  if (isHeaderSafe(token)) return done(token);
  return failed(usageFailure(`${source.value.name}: expected one token, in visible ASCII characters`));
}
