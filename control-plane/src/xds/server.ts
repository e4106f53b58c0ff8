// The control plane's xDS face: discovery over gRPC, aggregated or for extensions alone, serves the policy to Envoys.
import { logVerbosity, Server, ServerCredentials, setLogVerbosity, type ServerOptions } from "@grpc/grpc-js";
import type { TlsIdentity } from "../tls.js";
import { RenewableCredentials } from "./credentials.js";
import { EdgeStreams, type EdgeStreamsParts } from "./edge-streams.js";
import { aggregatedService, extensionService } from "./protos.js";

export interface XdsServerOptions extends Omit<EdgeStreamsParts, "connectionsAreKnown"> {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Null: plain text. With a client authority, a certificate of it is demanded, and does for a credential. */
  readonly tls: TlsIdentity | null;
}

export interface XdsServer {
  readonly port: number;
  /** Does nothing where the server speaks plain text. */
  readonly renewTls: (identity: TlsIdentity) => void;
  /** Ends every stream and frees the port. Envoys keep their policy and come back by themselves. */
  close(): Promise<void>;
}

const STOP_GRACE_MS = 1000;

const GRPC_OPTIONS: ServerOptions = {
  // An Envoy lists every extension it was built with in its node: tens of kilobytes.
  "grpc.max_receive_message_length": 1024 * 1024,
  // One connection of one Envoy carries one stream; a second one while the first is going away.
  "grpc.max_concurrent_streams": 4,
  // An Envoy that vanished without a word is noticed, and its stream freed, within 30 s.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // A connection that carries nothing goes, so that strangers cannot collect them.
  "grpc.max_connection_idle_ms": 60_000,
};

// The library prints what it also hands to its callers, on standard error and in a form of its own.
setLogVerbosity(logVerbosity.NONE);

/** Listens and serves until closed. Rejects where the address cannot be bound. */
export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const streams = new EdgeStreams({ ...options, connectionsAreKnown: (options.tls?.clientCa ?? null) !== null });
  const server = new Server(GRPC_OPTIONS);
  server.addService(aggregatedService, streams.aggregatedMethods());
  server.addService(extensionService, streams.extensionMethods());
  const unsubscribe = options.policies.subscribe(() => {
    streams.policyChanged().catch((error: unknown) => {
      options.logger.error({ type: "xds-failed", error: String(error) }, "pushing a policy failed");
    });
  });
  const credentials = options.tls === null ? null : new RenewableCredentials(options.tls);
  const port = await listening(server, options, credentials ?? ServerCredentials.createInsecure()).catch(
    (error: unknown) => {
      unsubscribe();
      throw error;
    },
  );
  return {
    port,
    renewTls: (identity) => credentials?.renew(identity),
    close: async () => {
      unsubscribe();
      streams.end();
      await stopped(server);
    },
  };
}

function listening(server: Server, { host, port }: XdsServerOptions, credentials: ServerCredentials): Promise<number> {
  const address = host.includes(":") ? `[${host}]` : host;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${address}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}

/**
 * Lets the Envoys hear why their streams ended; whoever does not hang up within a second is cut off. The connection of
 * one that hangs is waited for no longer: the library's own shutdown would wait for its last word.
 */
function stopped(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, STOP_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(cutOff);
      resolve();
    });
  });
}
