// Where the API is and with what it is called: from options, the environment and the configuration file, and what they name.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { given } from "../../settings/environment.js";
import type { Environment } from "../../settings/environment.js";
import { readSecretFiles } from "../../settings/secret-files.js";
import { isHeaderSafe, MAX_SECRET_FILE_BYTES } from "../../settings/secret-text.js";
import { unknownVariables } from "../../settings/unknown-variables.js";
import { fileVariable } from "../../settings/variables.js";
import { whyUnreadable } from "../../files/file-reader.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import type { Io } from "../terminal/io.js";
import { shownPath } from "../terminal/shown-words.js";
import { readConfiguration } from "./configuration.js";
import type { Configuration } from "./configuration.js";
import type { SecretReading } from "./secret-reading.js";

export interface Access {
  /** http: or https:. Its path, if any, comes before every path of the API. */
  readonly url: URL;
  /** A secret. */
  readonly token: string;
  /** PEM, for https. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const TOKEN = "SLUICE_ADMIN_TOKEN";
const DEFAULT_URL = new URL("http://127.0.0.1:8080");
const A_URL = "a URL such as https://sluice.example:8080, with no name, password or query";
/** All authorities that a system trusts take some 200 KB. */
const MAX_PEM_BYTES = 1_048_576;

/** A violation names the variable, the option or the key of the configuration file, never what stands in a secret. */
export async function readAccess(
  env: Environment,
  tokenFile: string | undefined,
  io: Pick<Io, "readFile" | "isWritableByAll"> & SecretReading,
): Promise<Outcome<Access>> {
  const configuration = await readConfiguration(env, io);
  if (!configuration.ok) return configuration;
  const { found } = configuration.value;
  const read = urlOf(env, configuration.value);
  if (!read.ok) return read;
  const url = read.value;
  try {
    const token = await readToken(env, tokenOf(env, tokenFile, configuration.value), io);
    return done({ url, token, tls: url.protocol === "https:" ? await readTls(found, io) : {} });
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return failed(usageFailure(error.message, error.hint));
  }
}

/** Where the token stands: in a file, or in the environment itself. */
export type TokenPlace =
  { readonly from: string; readonly file: string } | { readonly from: string; readonly text: string };

/** The option wins over the environment, and that over the configuration file. */
export function tokenOf(
  env: Environment,
  option: string | undefined,
  { found }: Pick<Configuration, "found">,
): TokenPlace | undefined {
  if (option !== undefined) return { from: "--token-file", file: option };
  const text = given(env, TOKEN);
  const named = found("tokenFile");
  if (text !== undefined) return { from: TOKEN, text };
  return named && { from: named.from, file: named.value };
}

class Unusable extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** One that has nothing but a scheme of HTTP, a host, a port and a path. */
export function plainUrlOf(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return isPlain && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** Of the API, where no variable is misspelt: it may have been meant. */
export function urlOf(env: Environment, { found }: Pick<Configuration, "found">): Outcome<URL> {
  const [unknown] = unknownVariables(env);
  if (unknown !== undefined) return failed(usageFailure(unknown));
  const place = found("url");
  if (place === undefined) return done(DEFAULT_URL);
  const url = plainUrlOf(place.value);
  return url === undefined ? failed(usageFailure(`${place.from}: expected ${A_URL}`)) : done(url);
}

async function readToken(env: Environment, place: TokenPlace | undefined, io: SecretReading): Promise<string> {
  if (place === undefined) {
    throw new Unusable(
      "no admin token: SLUICE_ADMIN_TOKEN is not set",
      "Set it, or name a file that holds one: --token-file .sluice/admin-token beside npm start",
    );
  }
  const { from } = place;
  const isOfEnvironment = "text" in place || from === fileVariable(TOKEN);
  const token = firstOf(
    isOfEnvironment ? await ofEnvironment(env, io) : await read(from, place.file, MAX_SECRET_FILE_BYTES, io.readSecret),
  );
  if (!isHeaderSafe(token)) throw new Unusable(`${from}: expected an admin token, in visible ASCII characters`);
  return token;
}

/** In which the control plane's own file may be named. */
async function ofEnvironment(env: Environment, io: SecretReading): Promise<string> {
  const secrets = await readSecretFiles(env, (path, maxBytes) => io.readSecret(path, maxBytes), [TOKEN]);
  const [violation] = secrets.violations;
  if (violation !== undefined) throw new Unusable(violation);
  return given(secrets.env, TOKEN) ?? "";
}

/** While tokens are changed, the control plane takes several, with commas between them; any of them is good. */
const firstOf = (tokens: string): string => (tokens.split(",")[0] ?? "").trim();

/** Not those of SLUICE_TLS_CERT_FILE: that is the server's own, where both share an environment. */
const TLS_KEYS = { ca: "tlsCaFile", cert: "clientCertFile", key: "clientKeyFile" } as const;
const TLS_PARTS = ["ca", "cert", "key"] as const;

async function readTls(
  found: Configuration["found"],
  io: Pick<Io, "readFile"> & SecretReading,
): Promise<Access["tls"]> {
  const places = TLS_PARTS.map((part) => [part, found(TLS_KEYS[part])] as const).flatMap(([part, place]) =>
    place === undefined ? [] : [{ part, ...place }],
  );
  const contents = places.map(
    async ({ part, from, value }) =>
      [part, await read(from, value, MAX_PEM_BYTES, part === "key" ? io.readSecret : io.readFile)] as const,
  );
  const tls: Access["tls"] = Object.fromEntries(await Promise.all(contents));
  const nameOf = (part: (typeof TLS_PARTS)[number]): string => places.find((one) => one.part === part)?.from ?? "";
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new Unusable("SLUICE_CLIENT_CERT_FILE and SLUICE_CLIENT_KEY_FILE go together: one of them is not set");
  }
  try {
    if (isPair(tls)) createSecureContext(tls);
    else throw new Unusable(`${nameOf("key")}: it is not the key of the certificate in ${nameOf("cert")}`);
  } catch (error) {
    if (error instanceof Unusable) throw error;
    const names = places.map(({ from }) => from).join(", ");
    throw new Unusable(`${names}: expected certificates, and an unencrypted key of the client's, in PEM`);
  }
  return tls;
}

/** TLS itself says nothing where they are of two kinds, such as EC and RSA. */
const isPair = ({ cert, key }: Access["tls"]): boolean =>
  cert === undefined || key === undefined || new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));

async function read(what: string, path: string, maxBytes: number, reading: Io["readFile"]): Promise<string> {
  try {
    return (await reading(path, maxBytes)).toString("utf8");
  } catch (error) {
    throw new Unusable(`${what}: ${shownPath(path)} cannot be read: ${whyUnreadable(error)}`);
  }
}
