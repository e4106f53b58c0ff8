// Keeps every route of a scope for those who may call it, before a byte of the body is read.
import type { FastifyReply, FastifyRequest } from "fastify";

import { HEADER_EDGE } from "../../../assembly/contract.js";
import { may, reachOf } from "../app/access/admin.js";
import type { Admin } from "../app/access/admin.js";
import type { Callers } from "./callers.js";
import { networkOf } from "../app/access/network.js";
import type { InstanceAdmission } from "../app/edges/status/instance-admission.js";
import type { UnauthenticatedCalls } from "../app/edges/status/unauthenticated-calls.js";
import type { RequestRates } from "../app/access/request-rates.js";
import type { IssuedBy } from "../domain/issued-by.js";
import type { Scope } from "../domain/issuers/issuer.js";
import type { Instance } from "../domain/stored.js";
import { ownedKey } from "../domain/idempotency-key.js";
import type { Connections } from "./connection-bounds.js";
import { sendError } from "./errors.js";
import type { HttpApp } from "./app.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** An issuer's token with this scope will do. Left out: only an operator's. */
    readonly scope?: Scope;
  }
  interface FastifyRequest {
    /** Who asks, on the admin routes. */
    admin: Admin | null;
  }
}

interface GuardParts<Holder> {
  readonly holderOf: (header: string | undefined) => Holder | undefined;
  /** Hears of each connection on which an accepted credential was shown. */
  readonly connections: Pick<Connections, "authenticated">;
  readonly callers: Callers;
}

export interface EdgeGuardParts extends GuardParts<"edge"> {
  readonly unauthenticated: Pick<UnauthenticatedCalls, "denied">;
}

export interface AdminGuardParts extends GuardParts<Admin> {
  readonly rates: RequestRates;
}

/**
 * For edges. Who is denied is noted by the name that it claims in a header, for its body is not read. Also keeps answers
 * out of caches: they hold who is who.
 */
export function guardEdges(app: HttpApp, { holderOf, unauthenticated, connections, callers }: EdgeGuardParts): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    if (holderOf(request.headers.authorization) !== undefined) {
      connections.authenticated(request.raw.socket);
      return;
    }
    const claimed = request.headers[HEADER_EDGE];
    unauthenticated.denied(typeof claimed === "string" ? claimed : "", callers.addressOf(request));
    await deny(reply);
  });
}

/**
 * For admins: in this order, the address's rate, who it is, whether that one may call the route, and its own rate: each
 * issuer's is its own. So guesses at a token cost the guesser's address only.
 */
export function guardAdmins(app: HttpApp, { holderOf, rates, connections, callers }: AdminGuardParts): void {
  app.decorateRequest("admin", null);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const addressWaitMs = rates.take(`address ${networkOf(callers.addressOf(request))}`);
    if (addressWaitMs > 0) return slowDown(reply, addressWaitMs);
    const admin = holderOf(request.headers.authorization);
    if (admin === undefined) return deny(reply);
    connections.authenticated(request.raw.socket);
    const { scope } = request.routeOptions.config;
    if (!may(admin, scope)) return sendError(reply, "FORBIDDEN", { message: wantedInstead(scope) });
    const adminWaitMs = rates.take(`admin ${admin.keyOwner}`);
    if (adminWaitMs > 0) return slowDown(reply, adminWaitMs);
    request.admin = admin;
    return undefined;
  });
}

const wantedInstead = (scope: Scope | undefined): string =>
  scope === undefined
    ? "This route takes an operator's token, not an issuer's"
    : `This route takes an issuer's token with the scope ${scope}, or an operator's token`;

/** The public name of who asks. An Error where the route is not behind `guardAdmins`. */
export const actorOf = (request: FastifyRequest): string => adminOf(request).actor;

/** Whose sessions whoever asks may know of; null: all. An Error as above. */
export const issuedByOf = (request: FastifyRequest): IssuedBy | null => reachOf(adminOf(request));

/** What a session is to say of who issued it. An Error as above. */
export const issuerOf = (request: FastifyRequest): string => adminOf(request).name;

/** The request's Idempotency-Key, as its credential's own; undefined where it has none. */
export function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers["idempotency-key"];
  return typeof key === "string" ? ownedKey(adminOf(request).keyOwner, key) : undefined;
}

function adminOf(request: FastifyRequest): Admin {
  if (request.admin === null) throw new Error("the route is open to anyone");
  return request.admin;
}

function deny(reply: FastifyReply): FastifyReply {
  reply.header("www-authenticate", 'Bearer realm="sluice"');
  return sendError(reply, "UNAUTHORIZED");
}

/** In a scope that `guardEdges` keeps: every body there says which instance calls. */
export function admitInstances(app: HttpApp, admission: Pick<InstanceAdmission, "take">): void {
  app.addHook<{ Body: Instance }>("preHandler", async (request, reply) => {
    const waitMs = admission.take(request.body);
    if (waitMs > 0) return slowDown(reply, waitMs);
    return undefined;
  });
}

function slowDown(reply: FastifyReply, waitMs: number): FastifyReply {
  reply.header("retry-after", Math.max(1, Math.ceil(waitMs / 1000)));
  return sendError(reply, "TOO_MANY_REQUESTS");
}
