// TLS of the two faces: which files the settings name, and what stands in them.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** A file, and the variable that names it, so that what is wrong with it can be said. */
export interface TlsFile {
  readonly variable: string;
  readonly path: string;
}

export interface TlsFiles {
  readonly cert: TlsFile;
  readonly key: TlsFile;
  /** Who calls must show a certificate of one of these authorities; null: nobody must show one. */
  readonly clientCa: TlsFile | null;
}

/** PEM. */
export interface TlsIdentity {
  /** The server's certificate, and after it those that lead to its authority. */
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | null;
}

/** What stands in the files, whatever it is. */
export function readTls({ cert, key, clientCa }: TlsFiles): TlsIdentity {
  return { cert: read(cert), key: read(key), clientCa: clientCa === null ? null : read(clientCa) };
}

/** Reads and checks the files. An Error names variable and file, and holds nothing of what stands in it. */
export function loadTls(files: TlsFiles): TlsIdentity {
  const identity = readTls(files);
  const { cert, key, clientCa } = files;
  const certificate = checked(cert, "a certificate in PEM", () => new X509Certificate(identity.cert));
  const privateKey = checked(key, "an unencrypted private key in PEM", () => createPrivateKey(identity.key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `${key.variable}: ${key.path} is not the key of the certificate in ${cert.path} (${cert.variable})`,
    );
  }
  const authorities = identity.clientCa;
  if (clientCa !== null && authorities !== null) {
    checked(clientCa, "certificates in PEM", () => new X509Certificate(authorities));
  }
  return identity;
}

function read({ variable, path }: TlsFile): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(`${variable}: ${path} cannot be read: ${reason}`, { cause: error });
  }
}

function checked<Content>({ variable, path }: TlsFile, expected: string, parse: () => Content): Content {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${variable}: ${path} does not hold ${expected}`, { cause: error });
  }
}
