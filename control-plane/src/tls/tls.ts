// TLS of the control plane's port: which files the settings name, and what is in them.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { messageOf } from "../domain/message-of.js";
import { whyUnreadable } from "../files/file-reader.js";
import type { FileReader } from "../files/file-reader.js";

/** Of a file. All authorities that a system trusts take some 200 KB. */
const MAX_PEM_BYTES = 1_048_576;

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

/** The files' content, whatever it is. Rejects with an Error that names variable and file. */
export async function readTls({ cert, key, clientCa }: TlsFiles, reader: FileReader): Promise<TlsIdentity> {
  const read = ({ variable, path }: TlsFile): Promise<Buffer> =>
    reader.read(path, MAX_PEM_BYTES).catch((error: unknown) => {
      throw new Error(`${variable}: ${path} cannot be read: ${whyUnreadable(error)}`, { cause: error });
    });
  const parts = await Promise.all([read(cert), read(key), clientCa === null ? null : read(clientCa)]);
  return { cert: parts[0], key: parts[1], clientCa: parts[2] };
}

/** Reads and checks the files. An Error names variable and file, and repeats nothing of the content. */
export async function loadTls(files: TlsFiles, reader: FileReader): Promise<TlsIdentity> {
  const identity = await readTls(files, reader);
  requireTls(files, identity);
  return identity;
}

/** @throws Error that names variable and file where the content cannot be used, and repeats nothing of it */
export function requireTls(files: TlsFiles, identity: TlsIdentity): void {
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
    checked(clientCa, "certificates in PEM", () => eachCertificate(authorities));
  }
  requireUsable(files, identity);
}

/** TLS takes the authorities up to the first that it cannot read, and says nothing of the others. */
function eachCertificate(authorities: Buffer): X509Certificate[] {
  const blocks = authorities.toString("latin1").split(/(?=-----BEGIN CERTIFICATE-----)/);
  const certificates = blocks.filter((block) => block.startsWith("-----BEGIN CERTIFICATE-----"));
  // Without a block, the whole is validated: it may be in another form that is known.
  return (certificates.length > 0 ? certificates : [authorities]).map((one) => new X509Certificate(one));
}

/** Of a chain, only the first certificate was read so far; a server that is given what fails here takes nobody any more. */
function requireUsable({ cert }: TlsFiles, identity: TlsIdentity): void {
  try {
    createSecureContext({ cert: identity.cert, key: identity.key, ca: identity.clientCa ?? undefined });
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`${cert.variable}: TLS cannot use ${cert.path} and what belongs to it: ${reason}`, {
      cause: error,
    });
  }
}

function checked<Content>({ variable, path }: TlsFile, expected: string, parse: () => Content): Content {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${variable}: ${path} does not hold ${expected}`, { cause: error });
  }
}
