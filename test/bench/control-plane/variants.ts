// What is measured: a base and the variants that are compared with it, each with its requests and its server.
import { PATH_ACQUIRE } from "../../../assembly/contract.js";
import { BARE_READ_PATH, BARE_WRITE_PATH } from "./bare-store.js";
import { requestText } from "./http1-load.js";
import type { Server, Servers } from "./servers.js";
import { creationOf, sessionOf } from "./stored-sessions.js";

export interface Variant {
  readonly name: string;
  readonly server: Server;
  readonly next: () => string;
  /** Of every answer. */
  readonly status: number;
}

/** The first variant is the base of the others. */
export interface Comparison {
  readonly title: string;
  readonly variants: readonly [Variant, ...Variant[]];
}

const json = { "content-type": "application/json" };
const INSTANCE_DIGITS = 16;

export function comparisons(servers: Servers): Comparison[] {
  return [reads(servers), writes(servers)];
}

function reads({ bare, controlPlane, edge, sessionIds }: Servers): Comparison {
  const headers = { ...json, authorization: edge };
  const acquire = (pass: number, session: string): string => {
    const instance = pass.toString(16).padStart(INSTANCE_DIGITS, "0");
    return requestText("POST", PATH_ACQUIRE, headers, JSON.stringify({ edge: "gateway-1", instance, session }));
  };
  const read = inTurn(sessionIds, (_, session) =>
    requestText("POST", BARE_READ_PATH, json, JSON.stringify({ edge: "gateway-1", instance: "0", session })),
  );
  return {
    title: "acquire, beside a route of plain Fastify that does one LMDB read",
    variants: [
      { name: "bare read", server: bare, status: 200, next: read },
      {
        name: "acquire, the instance's first of the session",
        server: controlPlane,
        status: 200,
        // Each pass over the sessions is another instance: none asks twice.
        next: inTurn(sessionIds, (pass, session) => acquire(pass + 1, session)),
      },
      {
        name: "acquire, asked again",
        server: controlPlane,
        status: 200,
        next: inTurn(sessionIds, (_, session) => acquire(1, session)),
      },
    ],
  };
}

function writes({ bare, controlPlane, admin, sessionIds }: Servers): Comparison {
  let created = sessionIds.length;
  let written = sessionIds.length;
  return {
    title: "creation of a session, beside a route of plain Fastify that does one durable LMDB write",
    variants: [
      {
        name: "bare write",
        server: bare,
        status: 201,
        next: () => requestText("POST", BARE_WRITE_PATH, json, JSON.stringify(sessionOf(written++, Date.now()))),
      },
      {
        name: "session creation",
        server: controlPlane,
        status: 201,
        next: () =>
          requestText("POST", "/v1/sessions", { ...json, authorization: admin }, JSON.stringify(creationOf(created++))),
      },
    ],
  };
}

/** One after the other, over and over; `make` also learns which pass it is, from 0 on. */
function inTurn<Item>(items: readonly Item[], make: (pass: number, item: Item) => string): () => string {
  let at = 0;
  return () => {
    const item = items[at % items.length];
    if (item === undefined) throw new RangeError("there are no items");
    return make(Math.floor(at++ / items.length), item);
  };
}
