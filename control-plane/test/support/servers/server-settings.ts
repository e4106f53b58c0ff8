// What a server of the tests is started with, as the text of its configuration file.
import { join } from "node:path";

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

export interface ServerOptions {
  /** Every write is in a file before it is answered, with `appendfsync` "always" even on the disk. By default nothing is kept. */
  readonly appendonly?: boolean;
  readonly appendfsync?: "always" | "everysec" | "no";
  /** Past it writes are refused: "4mb". */
  readonly maxmemory?: string;
  /** Of the user "default". */
  readonly requirepass?: string;
  readonly user?: ServerUser;
  readonly tls?: ServerTls;
  /** The port, on this machine, of the primary that it follows. */
  readonly replicaOf?: number;
  /** Further lines of the file: name and value. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Whom the fixture logs in as, whatever the test has made of the other users. */
export const FIXTURE = { username: "fixture", password: "of-the-tests" } as const;

export const SOCKET = "socket";
export const CONFIGURATION = "server.conf";

/** @param folder of the server, absolute */
export function serverConfiguration(folder: string, port: number, options: ServerOptions): string {
  const { appendonly = false, appendfsync = "everysec", maxmemory, replicaOf, settings = {} } = options;
  const lines = {
    bind: "127.0.0.1",
    dir: folder,
    unixsocket: join(folder, SOCKET),
    save: '""',
    appendonly: appendonly ? "yes" : "no",
    appendfsync,
    "maxmemory-policy": "noeviction",
    ...(maxmemory !== undefined && { maxmemory }),
    "enable-debug-command": "local",
    // A replica follows at once, and notices soon that its primary is gone.
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
    masteruser: FIXTURE.username,
    masterauth: FIXTURE.password,
    ...(replicaOf !== undefined && { replicaof: `127.0.0.1 ${replicaOf}` }),
    ...listening(port, options.tls),
    ...settings,
  };
  return [...Object.entries(lines).map(([name, value]) => `${name} ${value}`), ...access(options)].join("\n") + "\n";
}

function listening(port: number, tls: ServerTls | undefined): Record<string, string> {
  if (tls === undefined) return { port: String(port) };
  return {
    port: "0",
    "tls-port": String(port),
    "tls-cert-file": tls.cert,
    "tls-key-file": tls.key,
    "tls-ca-cert-file": tls.ca,
    "tls-auth-clients": tls.clientCertificates === true ? "yes" : "no",
    "tls-replication": "yes",
    "tls-cluster": "yes",
  };
}

function access({ requirepass, user }: ServerOptions): string[] {
  const fixture = `user ${FIXTURE.username} on >${FIXTURE.password} ~* &* +@all`;
  if (user === undefined) return requirepass === undefined ? [fixture] : [fixture, `requirepass ${requirepass}`];
  const { name, password, rules = "~* &* +@all" } = user;
  return [fixture, "user default off", `user ${name} on >${password} ${rules}`];
}
