// TLS files that are replaced while the process runs: what is good takes the place of what is in force, all else does not.
import { createHash, X509Certificate } from "node:crypto";

import type { Timers } from "../app/ports/log-ports.js";
import type { Logger } from "../app/ports/ports.js";
import { FileWatch } from "../files/file-watch.js";
import { loadTls, readTls } from "./tls.js";
import type { TlsFiles, TlsIdentity } from "./tls.js";

/** Two looks in a row must have found the same: a certificate and its key are two files, replaced one after the other. */
const TIMES = { pollMs: 1000, restMs: 1000 };

export interface TlsRenewalParts {
  readonly files: TlsFiles;
  readonly inForce: TlsIdentity;
  /** Puts another identity in force for connections from now on. */
  readonly renew: (identity: TlsIdentity) => void;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Looks at the files each second, whatever the file system announces. Returns how to end that. */
export function followTlsFiles({ files, inForce, renew, timers, logger }: TlsRenewalParts): () => void {
  const watch = new FileWatch({ fingerprint: () => digestOfFiles(files), times: TIMES, timers }, digestOf(inForce));
  watch.start(() => {
    try {
      const identity = loadTls(files);
      renew(identity);
      const { validTo } = new X509Certificate(identity.cert);
      logger.info({ type: "tls-renewed", validTo }, "new TLS files are in force");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error({ type: "tls-rejected", reason }, "new TLS files cannot be used: those before stay in force");
    }
    // Bad files are said to be so once, not at each look.
    return true;
  });
  return () => {
    watch.stop();
  };
}

/** Differs whenever the files hold something else, or cannot be read. */
function digestOfFiles(files: TlsFiles): string {
  try {
    return digestOf(readTls(files));
  } catch (error) {
    return String(error);
  }
}

function digestOf({ cert, key, clientCa }: TlsIdentity): string {
  const digest = (part: Buffer): string => createHash("sha256").update(part).digest("hex");
  return [cert, key, ...(clientCa === null ? [] : [clientCa])].map(digest).join();
}
