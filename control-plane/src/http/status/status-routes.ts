// What the status listener answers: is it alive, is it ready, its metrics. They say nothing about any one session.
import type { HttpApp } from "../app.js";
import { sendError } from "../errors.js";
import { askedOnce } from "./asked-once.js";
import type { Metrics } from "./metrics.js";
import type { Readiness } from "./readiness.js";

/** All there is on the status listener. */
export const STATUS_PATHS: readonly string[] = ["/healthz", "/readyz", "/metrics"];

export interface StatusRoutes {
  readonly readiness: Pick<Readiness, "denial">;
  readonly metrics: Pick<Metrics, "registry" | "text">;
}

export function statusRoutes(app: HttpApp, { readiness, metrics }: StatusRoutes): void {
  // Waits for nothing: it says that the process answers, however its store does.
  app.get("/healthz", () => ({ status: "alive" }));

  app.get("/readyz", async (_request, reply) => {
    const denial = await readiness.denial();
    return denial === undefined ? { status: "ready" } : sendError(reply, ...denial);
  });

  const text = askedOnce(() => metrics.text());
  app.get("/metrics", async (_request, reply) => reply.type(metrics.registry.contentType).send(await text()));
}
