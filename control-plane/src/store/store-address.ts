// Where the store is: which engine, and how it is reached. Plain values; the settings read them (settings/store-address.ts).

export type StoreAddress = LmdbAddress | RedisAddress;

interface Named {
  /** The setting or option that says so, for messages: SLUICE_STORE_FILE, --to. */
  readonly setting: string;
  /** As messages and logs may have it: no password, no user name. */
  readonly shown: string;
}

export interface LmdbAddress extends Named {
  readonly engine: "lmdb";
  /** The folder that the store is in. */
  readonly dataDir: string;
}

/** Redis or Valkey. */
export interface RedisAddress extends Named {
  readonly engine: "redis";
  /** The server, one. None with Sentinel, which is asked for it. */
  readonly hosts: readonly ServerAddress[];
  /** Null: plain TCP, to the servers and to Sentinel. */
  readonly tls: RedisTls | null;
  /** Of the servers. Null without a password: nobody is logged in; with one: the default user. */
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly sentinel: SentinelAddress | null;
  /** So many replicas must have acknowledged a write before it is answered (WAIT); 0: none is waited for. */
  readonly replicas: number;
}

/** Of a server: its name or address (IPv6 without brackets), and its port. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface SentinelAddress {
  /** At least one; any of them may be asked. */
  readonly hosts: readonly ServerAddress[];
  /** The name under which Sentinel knows the primary. */
  readonly master: string;
  /** Of Sentinel itself, as `username` and `password` are of the servers. */
  readonly username: string | null;
  readonly password: string | null;
}

/** PEM files, unread. */
export interface RedisTls {
  /** The authorities of the servers' certificates; null: those of Node. */
  readonly ca: NamedFile | null;
  /** What this program shows of itself; null: nothing. */
  readonly client: { readonly cert: NamedFile; readonly key: NamedFile } | null;
}

/** A file, and the setting that names it. */
export interface NamedFile {
  readonly variable: string;
  readonly path: string;
}

/** For a sentence: `the store in .sluice (SLUICE_DATA_DIR)`, `the store at redis://cache:6379 (SLUICE_STORE)`. */
export const storeNamed = ({ engine, shown, setting }: StoreAddress): string =>
  `the store ${engine === "lmdb" ? "in" : "at"} ${shown} (${setting})`;

/** What this program shows of itself to the store, if anything. */
export const clientOf = (address: StoreAddress): RedisTls["client"] =>
  address.engine === "redis" ? (address.tls?.client ?? null) : null;
