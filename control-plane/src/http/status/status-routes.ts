// The open routes: is it alive, is it ready, its metrics, its API. They say nothing about any one session.
import { Type } from "typebox";

import type { CurrentPolicy, SessionStore } from "../../app/ports/ports.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import { sendError } from "../errors.js";
import type { Metrics } from "./metrics.js";
import { errorAnswers } from "../schemas.js";
import type { HttpApp } from "../app.js";

const tags = ["status"];
const StatusAnswer = (status: string) => Type.Object({ status: Type.Literal(status) });

export interface StatusPorts {
  readonly store: SessionStore;
  readonly health: Pick<StoreHealth, "unwritable">;
  readonly policies: CurrentPolicy;
  readonly metrics: Metrics;
}

export function statusRoutes(app: HttpApp, { store, health, policies, metrics }: StatusPorts): void {
  const alive = { tags, summary: "The process answers", response: { 200: StatusAnswer("alive") } };
  app.get("/healthz", { schema: alive }, () => ({ status: "alive" }));

  const ready = {
    tags,
    summary: "The store can be read and written, and a policy is loaded",
    response: { 200: StatusAnswer("ready"), ...errorAnswers("NOT_READY", "NO_POLICY") },
  };
  app.get("/readyz", { schema: ready }, async (_request, reply) => {
    if (policies.current() === undefined) return sendError(reply, "NO_POLICY");
    try {
      await store.position();
    } catch {
      return sendError(reply, "NOT_READY", { message: "The store does not answer" });
    }
    const why = health.unwritable();
    if (why !== undefined) return sendError(reply, "NOT_READY", { message: `The store cannot be written: ${why}` });
    return reply.code(200).send({ status: "ready" });
  });

  const prometheus = {
    tags,
    summary: "Metrics, for Prometheus",
    produces: ["text/plain"],
    response: { 200: Type.String() },
  };
  app.get("/metrics", { schema: prometheus }, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  // Made once, as bytes that all answers share: anyone may ask for it, and it is long.
  let document: Buffer | undefined;
  app.get("/openapi.json", { schema: { hide: true } }, (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type("application/json; charset=utf-8").send(document);
  });
}
