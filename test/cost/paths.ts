// The ways a request can take through the filter, each in a VM that has served such a request before.
import { TOKEN_BYTES } from "../../assembly/contract.js";
import { plan, type PolicyDocument } from "../host/harness/scenes/documents.js";
import { requestWith, type Edge } from "../host/harness/scenes/edge.js";
import type { Stream } from "../host/harness/host/stream.js";
import { withBitFlipped, type Session } from "../host/harness/scenes/tokens.js";

export interface RequestPath {
  readonly name: string;
  /** What the client gets. */
  readonly status: number;
  /** What its policy says beside the plan and the response. */
  readonly policy?: PolicyDocument;
  /** Of the policy; none unless a path says so. */
  readonly routes?: readonly object[];
  /** Brings an edge to where the request is sent. What it returns sends it, and gives the stream when it has ended. */
  readonly prepared: (edge: Edge) => () => Stream;
}

const LAST_BIT = TOKEN_BYTES * 8 - 1;

export const REQUEST_PATHS: readonly RequestPath[] = [
  // From the session table.
  {
    name: "allowed",
    status: 200,
    prepared(edge) {
      const session = edge.sessionInTable({ tokens: 5 });
      edge.send(session);
      return () => edge.send(session);
    },
  },
  // The bucket is empty: decided from the session table.
  {
    name: "denied",
    status: 429,
    prepared(edge) {
      edge.send(emptied(edge));
      const session = emptied(edge);
      return () => edge.send(session);
    },
  },
  // The denial is remembered: decided without the session table.
  {
    name: "denied again",
    status: 429,
    prepared(edge) {
      const session = emptied(edge);
      edge.send(session);
      edge.send(session);
      return () => edge.send(session);
    },
  },
  // No header.
  { name: "missing", status: 401, prepared: (edge) => secondOf(() => edge.worker(0).request(requestWith(undefined))) },
  // Of the right length and alphabet but for its last character, so that all of it is read.
  {
    name: "invalid",
    status: 401,
    prepared: (edge) => secondOf(() => edge.send(`${edge.newSession().token.slice(0, -1)}!`)),
  },
  // Well formed and of a session that nobody knows, with a forged tag: the tag is computed, and nobody asked.
  {
    name: "invented",
    status: 401,
    prepared: (edge) => secondOf(() => edge.send(withBitFlipped(edge.newSession().token, LAST_BIT))),
  },
  // A miss: the control plane is asked, the answer put into the session table, the request released.
  {
    name: "acquire",
    status: 200,
    prepared: (edge) =>
      secondOf(() => {
        const stream = edge.send(edge.newSession());
        edge.answerLive();
        return stream;
      }),
  },
  // No token is read.
  {
    name: "exempt",
    status: 200,
    routes: [{ match: { path: "/healthz" }, exempt: true }],
    prepared: (edge) => secondOf(() => edge.worker(0).request(requestWith(undefined, "/healthz"))),
  },
  // Allowed, and denied by the last, with one further limit beside the plan's own bucket, and with seven.
  ...[1, 7].flatMap((limits) => [allowedBy(limits), deniedBy(limits), deniedAgainBy(limits)]),
  // A long path that may be read as another, and 100 exempt routes that ask whether it may: it is looked at once.
  {
    name: "100 exempt routes ask",
    status: 401,
    routes: Array.from({ length: 100 }, (_, index) => ({
      match: { headers: [{ name: "x-probe", value: `probe-${index}` }] },
      exempt: true,
    })),
    prepared: (edge) => secondOf(() => edge.worker(0).request(requestWith(undefined, `/${"a".repeat(1000)}%2f`))),
  },
  // Allowed, at the cost of a route.
  ...[1, 10, 100, 1000].map(ofRoutes),
];

/** A plan with so many further limits. One rate is of tokens a second, the others of tokens by unit. */
function planOf(limits: number): PolicyDocument {
  const further = Array.from({ length: limits }, (_, index) => {
    const rate = index === 0 ? { tokenRefillRate: 1 } : { refill: `${index}0/1h` };
    return { name: `limit-${index}`, maxTokens: 1000, ...rate };
  });
  return { plans: [plan({ tokenRefillRate: 1, limits: further })] };
}

function allowedBy(limits: number): RequestPath {
  return {
    name: `${limits} more, allowed`,
    status: 200,
    policy: planOf(limits),
    prepared(edge) {
      const session = edge.sessionInTable({ tokens: 5, levels: {} });
      return secondOf(() => edge.send(session));
    },
  };
}

function deniedBy(limits: number): RequestPath {
  return {
    name: `${limits} more, denied`,
    status: 429,
    policy: planOf(limits),
    prepared(edge) {
      edge.send(emptiedBy(edge, limits));
      const session = emptiedBy(edge, limits);
      return () => edge.send(session);
    },
  };
}

function deniedAgainBy(limits: number): RequestPath {
  return {
    name: `${limits} more, denied again`,
    status: 429,
    policy: planOf(limits),
    prepared(edge) {
      const session = emptiedBy(edge, limits);
      return secondOf(() => edge.send(session));
    },
  };
}

/** The last of its limits holds nothing. */
function emptiedBy(edge: Edge, limits: number): Session {
  return edge.sessionInTable({ tokens: 5, levels: { [`limit-${limits - 1}`]: 1 } });
}

/** A request that the last of `count` routes takes, each with a path of its own and one parameter. */
function ofRoutes(count: number): RequestPath {
  const routes = Array.from({ length: count }, (_, index) => ({
    match: { template: `/v1/things-${index}/{id}` },
    cost: 2,
  }));
  return {
    name: `route ${count} of ${count}`,
    status: 200,
    routes,
    prepared(edge) {
      const session = edge.sessionInTable({ tokens: 9 });
      return secondOf(() => edge.worker(0).request(requestWith(session, `/v1/things-${count - 1}/7`)));
    },
  };
}

function emptied(edge: Edge): Session {
  return edge.sessionInTable({ tokens: 0 });
}

function secondOf(request: () => Stream): () => Stream {
  request();
  return request;
}
