// Credentials for a registry, as `docker login` and `podman login` leave them in a file. Nothing of them is ever shown.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.js";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What the file has for a registry. */
export interface Held {
  readonly credentials: Credentials | undefined;
  /** Of the file, and why it helps no further; for messages. */
  readonly told: string;
}

interface Entry {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, Entry>>;
  readonly credsStore?: unknown;
  readonly credHelpers?: Readonly<Record<string, unknown>>;
}

/** As these names stand in the file, whatever the registry's own address. */
const ALIASES: Readonly<Record<string, string>> = { "docker.io": "index.docker.io" };

/**
 * Reads `config.json` in DOCKER_CONFIG, else in `.docker` of the home folder: its `auths`, and no program that it names.
 * @throws Failure: the file is there and cannot be read as one
 */
export function credentialsFor(host: string, env: Readonly<Record<string, string | undefined>>): Held {
  const folder = env.DOCKER_CONFIG ?? join(env.HOME ?? "/", ".docker");
  const file = join(folder, "config.json");
  if (!existsSync(file)) return { credentials: undefined, told: `${file} is not there` };
  const config = readConfig(file);
  const wanted = ALIASES[host] ?? host;
  const [, entry] = Object.entries(config.auths ?? {}).find(([key]) => hostOf(key) === wanted) ?? [];
  const credentials = entry === undefined ? undefined : credentialsIn(entry);
  if (credentials !== undefined) return { credentials, told: file };
  const byProgram = config.credsStore !== undefined || config.credHelpers?.[host] !== undefined;
  const more = byProgram ? ", and the program that it names for them is not asked" : "";
  return { credentials, told: `${file} has none in auths for ${host}${more}` };
}

function readConfig(file: string): DockerConfig {
  try {
    const config = JSON.parse(readFileSync(file, "utf8")) as unknown;
    if (typeof config === "object" && config !== null) return config;
  } catch {
    // The parser's message would show what it read.
  }
  throw new Failure(`${file} cannot be read: expected the JSON that docker login writes`);
}

/** `https://index.docker.io/v1/` and `ghcr.io` are both keys. */
const hostOf = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");

function credentialsIn({ auth, username, password }: Entry): Credentials | undefined {
  if (typeof auth === "string" && auth !== "") {
    const text = Buffer.from(auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  return { user: username, password };
}
