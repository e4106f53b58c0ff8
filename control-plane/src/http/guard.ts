// Keeps every route of a scope for those who show the credential, before a byte of the body is read.
import { sendError } from "./errors.js";
import type { HttpApp } from "./server.js";

/** Also keeps answers out of caches: they hold tokens and who is who. */
export function guard(app: HttpApp, isAccepted: (header: string | undefined) => boolean): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    if (isAccepted(request.headers.authorization)) return;
    reply.header("www-authenticate", 'Bearer realm="sluice"');
    await sendError(reply, "UNAUTHORIZED");
  });
}
