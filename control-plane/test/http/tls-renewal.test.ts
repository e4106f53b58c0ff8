// TLS files that are replaced while the control plane runs.
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FileReader } from "../../src/files/file-reader.js";
import type { FileSystem } from "../../src/files/file-reader.js";
import { loadTls } from "../../src/tls/tls.js";
import type { TlsFiles, TlsIdentity } from "../../src/tls/tls.js";
import { followTlsFiles } from "../../src/tls/tls-renewal.js";
import { authorityIn, pem, withHalfACertificate } from "../support/certificates.js";
import type { Authority, Identity } from "../support/certificates.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import { ControlPlaneProcess, settingsIn } from "../support/process.js";
import { until } from "../support/until.js";

const LOOK_MS = 1000;

let folder: string;
let authority: Authority;
let strangers: Authority;
let first: Identity;
let second: Identity;
let client: Identity;
let stranger: Identity;
/** Where the control plane looks. */
let inUse: Identity & { readonly ca: string };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-renewal-"));
  authority = authorityIn(folder, "authority");
  strangers = authorityIn(folder, "strangers");
  [first, second, client] = [authority.issue("first"), authority.issue("second"), authority.issue("client")];
  stranger = strangers.issue("stranger");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  inUse = { cert: join(folder, "inUse.crt"), key: join(folder, "inUse.key"), ca: join(folder, "place-ca.crt") };
  install(first);
  copyFileSync(authority.cert, inUse.ca);
});

function install({ cert, key }: Identity): void {
  copyFileSync(cert, inUse.cert);
  copyFileSync(key, inUse.key);
}

const filesThere = (): TlsFiles => ({
  cert: { variable: "SLUICE_TLS_CERT_FILE", path: inUse.cert },
  key: { variable: "SLUICE_TLS_KEY_FILE", path: inUse.key },
  clientCa: { variable: "SLUICE_TLS_CLIENT_CA_FILE", path: inUse.ca },
});

/** What has come in force and what was logged; `looks` lets so many looks at the files pass. */
async function following(fileSystem?: FileSystem) {
  const files = filesThere();
  const inForce = await loadTls(files, new FileReader());
  const timers = new ManualTimers(new FixedClock());
  const renewed: TlsIdentity[] = [];
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const stop = followTlsFiles({
    files,
    reader: new FileReader(fileSystem === undefined ? {} : { fileSystem }),
    inForce,
    renew: (identity) => renewed.push(identity),
    timers,
    logger: { debug: note, info: note, warn: note, error: note },
  });
  const looks = async (count: number): Promise<void> => {
    for (let look = 0; look < count; look++) {
      timers.advance(LOOK_MS);
      // The next look is due: this one is over.
      await until(() => {
        expect(timers.pending).toBe(1);
      });
    }
  };
  return { renewed, logged, looks, stop, timers };
}

describe("TLS files that are replaced", () => {
  it("replaced files are in force once both are there, and the log says until when", async () => {
    const { renewed, logged, looks } = await following();
    await looks(3);
    copyFileSync(second.cert, inUse.cert);
    await looks(1);
    copyFileSync(second.key, inUse.key);
    await looks(5);
    expect(renewed.map(({ cert, key }) => ({ cert, key }))).toEqual([pem(second)]);
    const { validTo } = new X509Certificate(readFileSync(second.cert));
    expect(logged).toEqual([{ event: "tls-renewed", validTo }]);
  });

  it("a replaced client authority is in force too", async () => {
    const { renewed, looks } = await following();
    copyFileSync(strangers.cert, inUse.ca);
    await looks(2);
    expect(renewed.map(({ clientCa }) => clientCa)).toEqual([readFileSync(strangers.cert)]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      "are no certificate",
      () => {
        writeFileSync(inUse.cert, "none");
      },
      /^SLUICE_TLS_CERT_FILE: .* a certificate in PEM$/,
    ],
    [
      "are a chain that is cut off",
      () => {
        writeFileSync(inUse.cert, withHalfACertificate(first.cert, authority.cert));
      },
      /^SLUICE_TLS_CERT_FILE: TLS cannot use /,
    ],
    [
      "are no pair",
      () => {
        copyFileSync(second.cert, inUse.cert);
      },
      /^SLUICE_TLS_KEY_FILE: .* is not the key of/,
    ],
    [
      "are gone",
      () => {
        rmSync(inUse.key);
      },
      /^SLUICE_TLS_KEY_FILE: .* cannot be read: ENOENT$/,
    ],
    [
      "are a pipe",
      () => {
        rmSync(inUse.key);
        execFileSync("mkfifo", [inUse.key]);
      },
      /^SLUICE_TLS_KEY_FILE: .* cannot be read: expected a regular file, got a pipe$/,
    ],
  ])("replaced files that %s are logged once and not used; later good ones are", async (_, spoil, reason) => {
    const { renewed, logged, looks } = await following();
    spoil();
    await looks(5);
    expect(renewed).toEqual([]);
    expect(logged).toEqual([{ event: "tls-rejected", reason: expect.stringMatching(reason) as unknown }]);
    rmSync(inUse.key, { force: true });
    install(second);
    await looks(2);
    expect(renewed.map(({ cert }) => cert)).toEqual([readFileSync(second.cert)]);
  });

  it("replaced files that could not be read at one look are in force by the next ones", async () => {
    let scarce = 0;
    const fileSystem: FileSystem = {
      stat: (name) => stat(name, { bigint: true }),
      open: (name, flags) =>
        scarce-- > 0 ? Promise.reject(Object.assign(new Error("none left"), { code: "EMFILE" })) : open(name, flags),
    };
    const { renewed, looks } = await following(fileSystem);
    await looks(2);
    install(second);
    await looks(1);
    scarce = 1;
    await looks(1);
    expect(renewed).toEqual([]);
    await looks(3);
    expect(renewed.map(({ cert }) => cert)).toEqual([readFileSync(second.cert)]);
  });

  it("replaced files are not read after the end of the renewal", async () => {
    const { renewed, stop, timers } = await following();
    stop();
    install(second);
    timers.advance(3 * LOOK_MS);
    await nextTurn();
    expect([renewed, timers.pending]).toEqual([[], 0]);
  });
});

describe("a control plane whose TLS files are replaced", () => {
  /** The certificate that a new connection is shown; a rejection where the server does not accept this client. */
  async function shownTo(shown: Identity, port: number): Promise<string> {
    const socket = connect({
      host: "127.0.0.1",
      port,
      ca: readFileSync(authority.cert),
      servername: "localhost",
      ALPNProtocols: ["h2", "http/1.1"],
      // In TLS 1.3 a client is rejected only after its own side of the handshake is over.
      maxVersion: "TLSv1.2",
      ...pem(shown),
    });
    try {
      await once(socket, "secureConnect");
      return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
    } finally {
      socket.destroy();
    }
  }
  const fingerprint = ({ cert }: Identity): string => new X509Certificate(readFileSync(cert)).fingerprint256;

  it("a control plane shows a new certificate, trusts a new authority, and survives bad files", async () => {
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_TLS_CERT_FILE: inUse.cert,
      SLUICE_TLS_KEY_FILE: inUse.key,
      SLUICE_TLS_CLIENT_CA_FILE: inUse.ca,
    });
    const port = await plane.port();
    expect(await shownTo(client, port)).toBe(fingerprint(first));
    await expect(shownTo(stranger, port)).rejects.toThrow();

    writeFileSync(inUse.cert, withHalfACertificate(first.cert, authority.cert));
    await plane.logLine("tls-rejected");
    expect(await shownTo(client, port)).toBe(fingerprint(first));

    install(second);
    copyFileSync(strangers.cert, inUse.ca);
    await until(async () => {
      expect(await shownTo(stranger, port)).toBe(fingerprint(second));
    });
    await expect(shownTo(client, port)).rejects.toThrow();
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });
});
