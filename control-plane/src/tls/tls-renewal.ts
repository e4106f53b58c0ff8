// TLS files that are replaced while the process runs: what is good takes the place of what is in force, all else does not.
import { createHash, X509Certificate } from "node:crypto";

import type { Timers } from "../app/ports/log-ports.js";
import type { Logger } from "../app/ports/ports.js";
import { messageOf } from "../domain/message-of.js";
import { FileWatch } from "../files/file-watch.js";
import type { FileReader } from "../files/file-reader.js";
import { readTls, requireTls } from "./tls.js";
import type { TlsFiles, TlsIdentity } from "./tls.js";

/** Two looks in a row must have found the same: a certificate and its key are two files, replaced one after the other. */
const TIMES = { pollMs: 1000, restMs: 1000 };

export interface TlsRenewalParts {
  readonly files: TlsFiles;
  readonly reader: FileReader;
  readonly inForce: TlsIdentity;
  /** Puts another identity in force for connections from now on. */
  readonly renew: (identity: TlsIdentity) => void;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Looks at the files each second, whatever the file system announces. Returns how to end that. */
export function followTlsFiles({ files, reader, inForce, renew, timers, logger }: TlsRenewalParts): () => void {
  /** What the last look found: exactly that is taken. Read once more, it could be something else, or unreadable. */
  let seen: TlsIdentity | Error = inForce;
  const look = async (): Promise<string> => {
    try {
      seen = await readTls(files, reader);
      return digestOf(seen);
    } catch (error) {
      seen = error instanceof Error ? error : new Error(String(error));
      return seen.message;
    }
  };
  const watch = new FileWatch({ fingerprint: look, times: TIMES, timers }, digestOf(inForce));
  watch.start(() => {
    try {
      if (seen instanceof Error) throw seen;
      requireTls(files, seen);
      renew(seen);
      const { validTo } = new X509Certificate(seen.cert);
      logger.info({ event: "tls-renewed", validTo }, "new TLS files are in force");
    } catch (error) {
      const reason = messageOf(error);
      logger.error({ event: "tls-rejected", reason }, "new TLS files cannot be used: those before stay in force");
    }
    // Bad files are said to be so once, not at each look.
    return true;
  });
  return () => {
    watch.stop();
  };
}

function digestOf({ cert, key, clientCa }: TlsIdentity): string {
  const digest = (part: Buffer): string => createHash("sha256").update(part).digest("hex");
  return [cert, key, ...(clientCa === null ? [] : [clientCa])].map(digest).join();
}
