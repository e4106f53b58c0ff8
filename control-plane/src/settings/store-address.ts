// Where the store is, as the environment says: LMDB in a folder, or a Redis or Valkey by its URL.
import type { LmdbAddress, NamedFile, RedisAddress, RedisTls, StoreAddress } from "../store/store-address.js";
import { hostPort } from "./address.js";
import type { EnvironmentReader } from "./environment.js";
import type { SettingsViolation } from "./settings-reader.js";
import { hasStoreScheme, readStoreUrl } from "./store-url.js";
import type { StoreUrl } from "./store-url.js";
import type { SecretVariable } from "./variables.js";

export const DEFAULT_FOLDER = ".sluice";
export const FOLDER_WANTED = "expected a folder, got a URL";
const MAX_REPLICAS = 100;
const BOTH = "a client's certificate takes both SLUICE_STORE_CERT_FILE and SLUICE_STORE_KEY_FILE";
/** What a Redis takes beside its URL. */
const TLS_FILES = ["SLUICE_STORE_CA_FILE", "SLUICE_STORE_CERT_FILE", "SLUICE_STORE_KEY_FILE"] as const;
const BESIDE_URL = [...TLS_FILES, "SLUICE_STORE_SENTINEL", "SLUICE_STORE_REPLICAS"] as const;

type Reader = Pick<EnvironmentReader, "given" | "text" | "file" | "parsed">;

export interface StoreSources {
  readonly reader: Reader;
  readonly violations: SettingsViolation[];
  /** The variable that a secret comes from: its own, or the one that names its file. */
  readonly sourceOf: (name: SecretVariable) => string;
}

/** Where a violation was found, what it answers is not to be used. */
export function readStoreAddress(sources: StoreSources): StoreAddress {
  const { reader, violations, sourceOf } = sources;
  const text = reader.given("SLUICE_STORE");
  const setting = sourceOf("SLUICE_STORE");
  const folder = lmdbAddress(reader.text("SLUICE_DATA_DIR", DEFAULT_FOLDER), "SLUICE_DATA_DIR");
  // Not shown: it may hold a password.
  if (hasStoreScheme(folder.dataDir))
    violations.push(`SLUICE_DATA_DIR: ${FOLDER_WANTED}, which belongs into SLUICE_STORE`);
  if (text === undefined) {
    // Of a file that cannot be read it is said already.
    if (setting === "SLUICE_STORE") violations.push(...withoutStore(reader, sourceOf));
    return folder;
  }
  const reading = readStoreUrl(text);
  if (!reading.ok) {
    violations.push(`${setting}: ${reading.violation}`);
    return folder;
  }
  if (setting === "SLUICE_STORE" && reading.url.password !== null) {
    violations.push("SLUICE_STORE holds a password: put the URL into a file, and name that with SLUICE_STORE_FILE");
  }
  violations.push(...withoutUse(reading.url, setting, sources));
  return redisAddress(reading.url, setting, sources);
}

/** What stands beside the URL and is of no use to a store of that kind: the URL is not what was meant. */
function withoutUse({ isTls, master }: StoreUrl, setting: string, { reader, sourceOf }: StoreSources): string[] {
  const file = isTls ? undefined : TLS_FILES.find((name) => reader.file(name) !== undefined);
  const noTls = file === undefined ? [] : [`${file} is set, and ${setting} has no TLS: expected rediss:// there`];
  if (master !== null || reader.given("SLUICE_STORE_SENTINEL") === undefined) return noTls;
  const source = sourceOf("SLUICE_STORE_SENTINEL");
  return [...noTls, `${source} is set, and ${setting} names no Sentinel: expected redis+sentinel:// there`];
}

/** A variable of a Redis without one is of a Redis that was forgotten: LMDB in its place would begin empty. */
function withoutStore(reader: Reader, sourceOf: StoreSources["sourceOf"]): SettingsViolation[] {
  const name = BESIDE_URL.find((one) => reader.given(one) !== undefined);
  if (name === undefined) return [];
  const shown = name === "SLUICE_STORE_SENTINEL" ? sourceOf(name) : name;
  return [`${shown} is set, and SLUICE_STORE is not: set that too, or neither`];
}

export const lmdbAddress = (dataDir: string, setting: string): LmdbAddress => ({
  engine: "lmdb",
  dataDir,
  setting,
  shown: dataDir,
});

/** @param setting what held the URL; what stands beside it is the environment's */
export function redisAddress(url: StoreUrl, setting: string, sources: StoreSources): RedisAddress {
  const { hosts, master, username, password, database } = url;
  return {
    engine: "redis",
    hosts: master === null ? hosts : [],
    tls: url.isTls ? tlsOf(sources) : null,
    ...{ username, password, database },
    sentinel: master === null ? null : { hosts, master, ...sentinelUser(sources) },
    replicas: replicasOf(url, sources.reader),
    setting,
    shown: shownUrl(url),
  };
}

function shownUrl({ isTls, master, hosts, database }: StoreUrl): string {
  const names = hosts.map(hostPort).join(",");
  const path = [...(master === null ? [] : [master]), ...(database === 0 ? [] : [String(database)])];
  const scheme = `${isTls ? "rediss" : "redis"}${master === null ? "" : "+sentinel"}`;
  return [`${scheme}://${names}`, ...path].join("/");
}

/** `user:password`, or `:password` of the default user: as they are, nothing is encoded. */
function sentinelUser({ reader, violations, sourceOf }: StoreSources): {
  username: string | null;
  password: string | null;
} {
  const text = reader.given("SLUICE_STORE_SENTINEL");
  if (text === undefined) return { username: null, password: null };
  const colon = text.indexOf(":");
  const [username, password] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  if (colon === -1 || password === "") {
    violations.push(`${sourceOf("SLUICE_STORE_SENTINEL")}: expected user:password, or :password of the default user`);
  }
  return { username: username === "" ? null : username, password };
}

/** With Sentinel a primary that fails takes with it what no replica has: one must have it then. */
function replicasOf({ master }: StoreUrl, reader: Reader): number {
  const expected = `an integer from 0 to ${MAX_REPLICAS}`;
  return reader.parsed("SLUICE_STORE_REPLICAS", master === null ? 0 : 1, expected, (text) =>
    /^\d{1,3}$/.test(text) && Number(text) <= MAX_REPLICAS ? Number(text) : undefined,
  );
}

function tlsOf({ reader, violations }: StoreSources): RedisTls {
  const [ca, cert, key] = TLS_FILES.map((variable): NamedFile | null => {
    const path = reader.file(variable);
    return path === undefined ? null : { variable, path };
  });
  if (cert && key) return { ca: ca ?? null, client: { cert, key } };
  const alone = cert ?? key;
  if (alone) violations.push(`${alone.variable}: ${BOTH}`);
  return { ca: ca ?? null, client: null };
}

/** Said at the start, where both are set: an image sets the folder, and a store that was moved has left it. */
export function unusedFolder({ engine, setting }: StoreAddress, given: string | undefined): string | undefined {
  if (engine === "lmdb" || given === undefined) return undefined;
  return `SLUICE_DATA_DIR is not used: ${setting} names the store`;
}
