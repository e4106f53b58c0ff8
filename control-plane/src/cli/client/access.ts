// Where the API is and with what it is called: from the environment, the token's file and the TLS files.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { EnvironmentReader, given } from "../../settings/environment.js";
import type { Environment } from "../../settings/environment.js";
import { readSecretFiles } from "../../settings/secret-files.js";
import { unknownVariables } from "../../settings/unknown-variables.js";
import { whyUnreadable } from "../../files/file-reader.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import type { Io } from "../terminal/io.js";

export interface Access {
  /** http: or https:. Its path, if any, comes before every path of the API. */
  readonly url: URL;
  /** A secret. */
  readonly token: string;
  /** PEM, for https. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const DEFAULT_URL = new URL("http://127.0.0.1:8080");
const A_URL = "a URL such as https://sluice.example:8080, with no name, password or query";
const HEADER_SAFE = /^[\x21-\x7e]+$/;
const MAX_TOKEN_FILE_BYTES = 65_536;
/** All authorities that a system trusts take some 200 KB. */
const MAX_PEM_BYTES = 1_048_576;

/** A violation names the variable or the option, never what stands in a secret. */
export async function readAccess(
  env: Environment,
  tokenFile: string | undefined,
  io: Pick<Io, "readFile">,
): Promise<Outcome<Access>> {
  const reader = new EnvironmentReader(env, ({ variable, expected }) => {
    throw new Unusable(`${variable}: expected ${expected}`);
  });
  try {
    const [unknown] = unknownVariables(env);
    if (unknown !== undefined) throw new Unusable(unknown);
    const url = reader.parsed("SLUICE_URL", DEFAULT_URL, A_URL, urlOf);
    const token = await readToken(env, tokenFile, io);
    return done({ url, token, tls: url.protocol === "https:" ? await readTls(reader, io) : {} });
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return failed(usageFailure(error.message, error.hint));
  }
}

class Unusable extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

function urlOf(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return isPlain && /^https?:$/.test(url.protocol) ? url : undefined;
}

async function readToken(env: Environment, file: string | undefined, io: Pick<Io, "readFile">): Promise<string> {
  const { from, token } = await (file === undefined ? tokenOf(env, io) : tokenIn(file, io));
  if (token === undefined) {
    throw new Unusable(
      "no admin token: SLUICE_ADMIN_TOKEN is not set",
      "Set it, or name a file that holds one: --token-file .sluice/admin-token beside npm start",
    );
  }
  if (!HEADER_SAFE.test(token)) throw new Unusable(`${from}: expected an admin token, in visible ASCII characters`);
  return token;
}

interface FoundToken {
  readonly from: string;
  readonly token: string | undefined;
}

async function tokenIn(file: string, io: Pick<Io, "readFile">): Promise<FoundToken> {
  const from = "--token-file";
  return { from, token: (await read(from, file, MAX_TOKEN_FILE_BYTES, io)).trim() };
}

/** Of the environment, in which the control plane's own file may be named. */
async function tokenOf(env: Environment, io: Pick<Io, "readFile">): Promise<FoundToken> {
  const name = "SLUICE_ADMIN_TOKEN";
  const secrets = await readSecretFiles(env, (path, maxBytes) => io.readFile(path, maxBytes), [name]);
  const [violation] = secrets.violations;
  if (violation !== undefined) throw new Unusable(violation);
  return { from: secrets.files.get(name)?.variable ?? name, token: firstOf(given(secrets.env, name)) };
}

/** While tokens are changed, the control plane takes several from the variable, with commas; any of them is good. */
const firstOf = (tokens: string | undefined): string | undefined => tokens?.split(",")[0]?.trim();

/** Not those of SLUICE_TLS_CERT_FILE: that is the server's own, where both share an environment. */
const TLS_VARIABLES = {
  ca: "SLUICE_TLS_CA_FILE",
  cert: "SLUICE_CLIENT_CERT_FILE",
  key: "SLUICE_CLIENT_KEY_FILE",
} as const;

async function readTls(reader: EnvironmentReader, io: Pick<Io, "readFile">): Promise<Access["tls"]> {
  const parts = (["ca", "cert", "key"] as const).filter((part) => reader.given(TLS_VARIABLES[part]) !== undefined);
  const contents = parts.map(async (part) => {
    const path = reader.given(TLS_VARIABLES[part]) ?? "";
    return [part, await read(TLS_VARIABLES[part], path, MAX_PEM_BYTES, io)] as const;
  });
  const tls: Access["tls"] = Object.fromEntries(await Promise.all(contents));
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new Unusable(`${TLS_VARIABLES.cert} and ${TLS_VARIABLES.key} go together: one of them is not set`);
  }
  try {
    if (isPair(tls)) createSecureContext(tls);
    else throw new Unusable(`${TLS_VARIABLES.key}: it is not the key of the certificate in ${TLS_VARIABLES.cert}`);
  } catch (error) {
    if (error instanceof Unusable) throw error;
    const variables = parts.map((part) => TLS_VARIABLES[part]).join(", ");
    throw new Unusable(`${variables}: expected certificates, and an unencrypted key of the client's, in PEM`);
  }
  return tls;
}

/** TLS itself says nothing where they are of two kinds, such as EC and RSA. */
const isPair = ({ cert, key }: Access["tls"]): boolean =>
  cert === undefined || key === undefined || new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));

async function read(what: string, path: string, maxBytes: number, io: Pick<Io, "readFile">): Promise<string> {
  try {
    return (await io.readFile(path, maxBytes)).toString("utf8");
  } catch (error) {
    throw new Unusable(`${what}: ${path} cannot be read: ${whyUnreadable(error)}`);
  }
}
