// What the control plane is measured against: plain Fastify, and one LMDB read or one durable LMDB write a request.
import Fastify from "fastify";

import type { Session } from "../../../control-plane/src/domain/session.js";
import { BARE_READ_PATH, BARE_WRITE_PATH, openBareStore } from "./bare-store.js";

const { BENCH_PORT, BENCH_STORE = "" } = process.env;

const { env, sessions } = openBareStore(BENCH_STORE);
const app = Fastify();
app.post<{ Body: { session: string } }>(BARE_READ_PATH, (request, reply) => {
  const found = sessions.get(request.body.session);
  if (found === undefined) void reply.code(404).send({ state: "unknown" });
  else void reply.code(200).send({ state: "live", plan: found.plan.id, ...found.tokens, endsAt: found.createdAt });
});
app.post<{ Body: Session }>(BARE_WRITE_PATH, async (request, reply) => {
  await sessions.put(request.body.id, request.body);
  return reply.code(201).send(request.body);
});
app.get("/healthz", () => ({ ok: true }));
await app.listen({ host: "127.0.0.1", port: Number(BENCH_PORT) });
process.on("SIGTERM", () => {
  void app
    .close()
    .then(() => env.close())
    .then(() => process.exit());
});
