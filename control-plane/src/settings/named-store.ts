// A store that an option of a command names: lmdb:FOLDER, or the URL of a Redis or Valkey, or a file that holds one.
import type { StoreAddress } from "../store/store-address.js";
import { lmdbAddress, redisAddress } from "./store-address.js";
import type { StoreSources } from "./store-address.js";
import { hasStoreScheme, readStoreUrl, STORE_SCHEMES } from "./store-url.js";

const LMDB = "lmdb:";

/** What stood at an option and its form with `-file`; each undefined where it was not given. */
export interface NamedStore {
  /** Such as `--from`; the other is `--from-file` then. */
  readonly option: string;
  readonly text: string | undefined;
  readonly fileText: string | undefined;
}

/**
 * TLS files, the Sentinels' login and the replicas are the environment's. Undefined where it is in violation, which
 * `sources.violations` says then, without what may be a password.
 */
export function readNamedStore(
  { option, text, fileText }: NamedStore,
  sources: StoreSources,
): StoreAddress | undefined {
  const { violations } = sources;
  if ((text === undefined) === (fileText === undefined)) {
    violations.push(`expected ${option} STORE or ${option}-file FILE, one of them`);
    return undefined;
  }
  const setting = text === undefined ? `${option}-file` : option;
  const given = text ?? fileText ?? "";
  if (given.startsWith(LMDB)) {
    const folder = given.slice(LMDB.length);
    if (folder === "") violations.push(`${setting}: expected a folder after ${LMDB}`);
    return lmdbAddress(folder, setting);
  }
  if (!hasStoreScheme(given)) {
    violations.push(`${setting}: expected lmdb:FOLDER, or a URL of ${STORE_SCHEMES}`);
    return undefined;
  }
  const reading = readStoreUrl(given);
  if (!reading.ok) {
    violations.push(`${setting}: ${reading.violation}`);
    return undefined;
  }
  if (text !== undefined && reading.url.password !== null) {
    violations.push(
      `${option} holds a password, which others see in the list of processes: put the URL into a file, and name that with ${option}-file`,
    );
    return undefined;
  }
  return redisAddress(reading.url, setting, sources);
}
