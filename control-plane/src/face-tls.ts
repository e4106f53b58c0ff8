// TLS of one of the two faces: loaded at the start, and followed while the process runs.
import type { Timers } from "./app/log-ports.js";
import type { Logger } from "./app/ports.js";
import type { Settings } from "./settings.js";
import { StartFailure } from "./start-failure.js";
import { loadTls } from "./tls.js";
import type { TlsIdentity } from "./tls.js";
import { followTlsFiles } from "./tls-renewal.js";

export class FaceTls {
  private constructor(
    private readonly face: "http" | "xds",
    private readonly settings: Settings,
    /** What the files held at the start; null: plain text. */
    readonly atStart: TlsIdentity | null,
  ) {}

  /** @throws StartFailure where the files cannot be used. */
  static load(face: "http" | "xds", settings: Settings): FaceTls {
    const { tls } = settings[face];
    try {
      return new FaceTls(face, settings, tls === null ? null : loadTls(tls));
    } catch (error) {
      throw new StartFailure(error instanceof Error ? error.message : String(error));
    }
  }

  /** New files at the same places are put in force by `renew`. Returns how to end that. */
  follow(renew: (identity: TlsIdentity) => void, timers: Timers, logger: Logger): () => void {
    const { face, atStart: inForce } = this;
    const { tls: files } = this.settings[face];
    if (files === null || inForce === null) return () => undefined;
    return followTlsFiles({ face, files, inForce, renew, timers, logger });
  }
}
