// A gRPC service, and a client that calls it through the proxy. Messages are plain bytes.
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { parseDocument } from "yaml";

export const METHOD = "/sluice.test.Echo/Say";
/** The service never answers. */
export const SILENT_METHOD = "/sluice.test.Echo/Hush";
const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * Answers each message with itself. Resolves with how to stop it.
 * @param onSilent called for each call that it never answers
 */
export async function listenGrpc(port: number, onSilent: () => void = () => undefined): Promise<() => void> {
  const server = new Server();
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const unary = { requestStream: false, responseStream: false, ...codec };
  const service = { say: { path: METHOD, ...unary }, hush: { path: SILENT_METHOD, ...unary } };
  const implementation: UntypedServiceImplementation = {
    say: (call: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
      answer(null, call.request);
    },
    hush: onSilent,
  };
  server.addService(service, implementation);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  return () => {
    server.forceShutdown();
  };
}

/** Makes Envoy speak HTTP/2 to the upstream, as gRPC needs. */
export function withHttp2Upstream(bootstrap: string): string {
  const document = parseDocument(bootstrap);
  const clusters = document.toJS() as { static_resources: { clusters: { name: string }[] } };
  const at = clusters.static_resources.clusters.findIndex(({ name }) => name === "upstream");
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  document.setIn(
    ["static_resources", "clusters", at, "typed_extension_protocol_options"],
    document.createNode({
      [options]: {
        "@type": `type.googleapis.com/${options}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    }),
  );
  return document.toString({ lineWidth: 0 });
}

export interface GrpcOutcome {
  readonly code: number;
  readonly details: string;
  /** What the service said; undefined if it was not reached. */
  readonly answer: Buffer | undefined;
  /** What came with the status, by name. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** One call over a connection of its own. */
export async function callGrpc(
  port: number,
  message: Buffer,
  token?: string,
  method: string = METHOD,
): Promise<GrpcOutcome> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("x-session-id", token);
  try {
    return await new Promise<GrpcOutcome>((resolve) => {
      let answer: Buffer | undefined;
      const call = client.makeUnaryRequest(
        method,
        asIs,
        asIs,
        message,
        metadata,
        (_error: ServiceError | null, value?: Buffer) => {
          answer = value;
        },
      );
      call.on("status", ({ code, details, metadata: sent }: StatusObject) => {
        resolve({ code, details, answer, metadata: sent.getMap() });
      });
    });
  } finally {
    client.close();
  }
}
