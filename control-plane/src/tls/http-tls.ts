// TLS of the control plane's port: loaded at the start, and followed while the process runs.
import type { Timers } from "../app/ports/log-ports.js";
import type { Logger } from "../app/ports/ports.js";
import { messageOf } from "../domain/message-of.js";
import type { FileReader } from "../files/file-reader.js";
import { EXIT, StartFailure } from "../start-failure.js";
import { loadTls } from "./tls.js";
import type { TlsFiles, TlsIdentity } from "./tls.js";
import { followTlsFiles } from "./tls-renewal.js";

export class HttpTls {
  private constructor(
    private readonly files: TlsFiles | null,
    private readonly reader: FileReader,
    /** What the files held at the start; null: plain text. */
    readonly atStart: TlsIdentity | null,
  ) {}

  /** Rejects with StartFailure where the files cannot be used. */
  static async load(files: TlsFiles | null, reader: FileReader): Promise<HttpTls> {
    try {
      return new HttpTls(files, reader, files === null ? null : await loadTls(files, reader));
    } catch (error) {
      throw new StartFailure(messageOf(error), EXIT.config);
    }
  }

  /** New files at the same paths are put in force by `renew`. Returns how to end that. */
  follow(renew: (identity: TlsIdentity) => void, timers: Timers, logger: Logger): () => void {
    const { files, reader, atStart: inForce } = this;
    if (files === null || inForce === null) return () => undefined;
    return followTlsFiles({ files, reader, inForce, renew, timers, logger });
  }
}
