// Certificates for tests, made anew by openssl each time: no private key is in the repository.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Paths of PEM files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Identity {
  /**
   * A certificate, good for servers and clients.
   * @param of whom it is for, as OpenSSL writes it; not given: 127.0.0.1 and localhost
   */
  readonly issue: (name: string, of?: string) => Identity;
}

function openssl(...args: string[]): void {
  try {
    execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`these tests need the command openssl: ${String(error)}`, { cause: error });
  }
}

const newKey = (path: string): string[] => [
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:P-256",
  "-nodes",
  "-keyout",
  path,
];

/** A new authority whose files stand in the folder. */
export function authorityIn(folder: string, name: string): Authority {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  openssl("req", "-x509", ...newKey(key), "-out", cert, "-days", "2", "-subj", `/CN=${name}`);
  return { cert, key, issue: (one, of) => issue(folder, { cert, key }, one, of) };
}

function issue(folder: string, authority: Identity, name: string, of = "IP:127.0.0.1,DNS:localhost"): Identity {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  const [cert, key, request, extensions] = [file("crt"), file("key"), file("csr"), file("ext")];
  writeFileSync(extensions, `subjectAltName=${of}\n`);
  openssl("req", ...newKey(key), "-out", request, "-subj", `/CN=${name}`);
  const by = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"];
  openssl("x509", "-req", "-in", request, ...by, "-out", cert, "-days", "2", "-extfile", extensions);
  return { cert, key };
}

/** What is in one file, and after it what an upload that broke off left of the other. */
export function withHalfACertificate(whole: string, cut: string): string {
  const text = readFileSync(cut, "latin1");
  return readFileSync(whole, "latin1") + text.slice(0, text.length / 2);
}

/** The files' contents, as TLS takes them. */
export const pem = ({ cert, key }: Identity): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
});
