// What a server of the tests is started with, as the text of its configuration file.
import { join } from "node:path";

import { DEFAULT_USER } from "../../../../scripts/store-server.js";
import type { Identity } from "../certificates.js";

export interface ServerTls extends Identity {
  /** Path of the PEM file that clients' certificates are verified with. */
  readonly ca: string;
  /** A client without a certificate is turned away. */
  readonly clientCertificates?: boolean;
}

/** Of an ACL; nobody else but the fixture itself gets in then. */
export interface ServerUser {
  readonly name: string;
  readonly password: string;
  /** As Redis writes them: "~sluice:* &* +@all". All is permitted by default. */
  readonly rules?: string;
}

export interface SentinelOptions {
  /** The name of what it watches. */
  readonly master: string;
  /** Of the primary, on this machine. */
  readonly primaryPort: number;
  /** How many of the sentinels must miss the primary. */
  readonly quorum: number;
  /** For how long it has to be missed. */
  readonly downAfterMs: number;
  /** After which another try is made where a failover does not come to its end. */
  readonly failoverTimeoutMs: number;
}

export interface ServerOptions {
  /** Every write is in a file before it is answered, with `appendfsync` "always" even on the disk. By default nothing is kept. */
  readonly appendonly?: boolean;
  readonly appendfsync?: "always" | "everysec" | "no";
  /** Past it writes are refused: "4mb". */
  readonly maxmemory?: string;
  /** Of the user "default". */
  readonly requirepass?: string;
  readonly user?: ServerUser;
  /** Where `user` is given: the line of the user "default" in place of the one that docs/stores.md has. */
  readonly defaultUser?: string;
  readonly tls?: ServerTls;
  /** The port, on this machine, of the primary that it follows. */
  readonly replicaOf?: number;
  /** A cluster of this one server, which has all slots. */
  readonly cluster?: boolean;
  /** It watches servers instead of being one. */
  readonly sentinel?: SentinelOptions;
  /** Further lines of the file: name and value. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Whom the fixture logs in as, whatever the test has made of the other users. */
export const FIXTURE = { username: "fixture", password: "of-the-tests" } as const;

export const SOCKET = "socket";
export const CONFIGURATION = "server.conf";

export interface ServerPlace {
  /** Of the server alone, absolute. */
  readonly folder: string;
  readonly port: number;
  /** Over which the servers of a cluster speak with each other. */
  readonly busPort: number;
}

export function serverConfiguration(place: ServerPlace, options: ServerOptions): string {
  const own = options.sentinel === undefined ? storing(options, place) : watching(options.sentinel);
  const lines = [
    ["bind", "127.0.0.1"],
    ["dir", place.folder],
    ["unixsocket", join(place.folder, SOCKET)],
    ...listening(place.port, options.tls),
    ...own,
    ...Object.entries(options.settings ?? {}),
  ];
  return [...lines.map((words) => words.join(" ")), ...access(options)].join("\n") + "\n";
}

type Line = readonly string[];

function storing(options: ServerOptions, { busPort }: ServerPlace): Line[] {
  const { appendonly = false, appendfsync = "everysec", maxmemory, replicaOf, cluster = false } = options;
  return [
    ["save", '""'],
    ["appendonly", appendonly ? "yes" : "no"],
    ["appendfsync", appendfsync],
    ["maxmemory-policy", "noeviction"],
    ...(maxmemory === undefined ? [] : [["maxmemory", maxmemory]]),
    ["enable-debug-command", "local"],
    // A replica follows at once, and notices soon that its primary is gone.
    ["repl-diskless-sync-delay", "0"],
    ["repl-ping-replica-period", "1"],
    ["masteruser", FIXTURE.username],
    ["masterauth", FIXTURE.password],
    ...(replicaOf === undefined ? [] : [["replicaof", "127.0.0.1", String(replicaOf)]]),
    ...(cluster
      ? [
          ["cluster-enabled", "yes"],
          ["cluster-port", String(busPort)],
        ]
      : []),
  ];
}

function watching(options: SentinelOptions): Line[] {
  const { master, primaryPort, quorum, downAfterMs, failoverTimeoutMs } = options;
  const lines = [
    ["monitor", master, "127.0.0.1", String(primaryPort), String(quorum)],
    ["auth-user", master, FIXTURE.username],
    ["auth-pass", master, FIXTURE.password],
    ["down-after-milliseconds", master, String(downAfterMs)],
    ["failover-timeout", master, String(failoverTimeoutMs)],
    // How sentinels log in with one another.
    ["sentinel-user", FIXTURE.username],
    ["sentinel-pass", FIXTURE.password],
    // Where they listen, whatever they call from.
    ["announce-ip", "127.0.0.1"],
  ];
  return lines.map((words) => ["sentinel", ...words]);
}

function listening(port: number, tls: ServerTls | undefined): Line[] {
  if (tls === undefined) return [["port", String(port)]];
  return [
    ["port", "0"],
    ["tls-port", String(port)],
    ["tls-cert-file", tls.cert],
    ["tls-key-file", tls.key],
    ["tls-ca-cert-file", tls.ca],
    ["tls-auth-clients", tls.clientCertificates === true ? "yes" : "no"],
    ["tls-replication", "yes"],
    ["tls-cluster", "yes"],
  ];
}

function access({ requirepass, user, defaultUser = DEFAULT_USER }: ServerOptions): string[] {
  const fixture = `user ${FIXTURE.username} on >${FIXTURE.password} ~* &* +@all`;
  if (user === undefined)
    return requirepass === undefined ? [fixture] : [fixture, `requirepass ${quoted(requirepass)}`];
  const { name, password, rules = "~* &* +@all" } = user;
  return [fixture, defaultUser, `user ${name} on ${quoted(`>${password}`)} ${rules}`];
}

/** As one word, whatever is in it. */
const quoted = (word: string): string => JSON.stringify(word);
