// The service behind the Envoys: what reaches it has been admitted, and it notes when.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Ends } from "./site.js";

/** Which request it is, as the load names it. */
export const NAME_HEADER = "x-request-name";

/** Resolves with its port. */
export function startService(served: (name: string, atMs: number) => void, ends: Ends): Promise<number> {
  const server = createServer((request, response) => {
    const name = request.headers[NAME_HEADER];
    if (typeof name === "string") served(name, performance.now());
    response.writeHead(200, { "content-type": "text/plain" }).end("served\n");
  });
  return listening(server, ends);
}

/** Listens on a free port of loopback until the end. Resolves with the port. */
export async function listening(server: Server, ends: Ends): Promise<number> {
  // Longer than an Envoy keeps a connection at rest: no request meets one that is just closing.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await ends.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
