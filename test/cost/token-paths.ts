// The ways that a token takes: each place where a policy may look for it, and what is changed or said of a request.
import type { HeaderPairs } from "../host/harness/host/header-map.js";
import { BEARER, COOKIE, HEADER, knownSession, linesOf, requestLines } from "../host/harness/scenes/placed-tokens.js";
import type { PolicyDocument } from "../host/harness/scenes/documents.js";
import type { RequestPath } from "./paths.js";

/** An admitted request with its token in a place. */
function admitted(name: string, place: object, policy: PolicyDocument, before: HeaderPairs = []): RequestPath {
  return {
    name,
    status: 200,
    policy,
    prepared(edge) {
      const { token } = knownSession(edge, place, 5);
      const lines = requestLines([...before, ...linesOf(place, token)]);
      const send = () => edge.worker(0).request(lines);
      send();
      return send;
    },
  };
}

const from = (...places: readonly object[]): PolicyDocument => ({ token: { from: places } });
const hidden = (place: object): PolicyDocument => ({ token: { from: [place], forward: false } });
const other: HeaderPairs = [["cookie", "theme=dark; lang=en"]];

export const TOKEN_PATHS: readonly RequestPath[] = [
  admitted("bearer", BEARER, from(BEARER)),
  admitted("cookie", COOKIE, from(COOKIE)),
  // HTTP/1.1, and not on the first line.
  admitted("cookie lines", COOKIE, from(COOKIE), other),
  admitted("third place", COOKIE, from(HEADER, BEARER, COOKIE)),
  admitted("hide header", HEADER, hidden(HEADER)),
  admitted("hide bearer", BEARER, hidden(BEARER)),
  admitted("hide cookie", COOKIE, hidden(COOKIE), other),
  admitted("identity", HEADER, { token: { identity: true } }),
  admitted("annotated", HEADER, { annotate: ["session", "plan", "decision", "limit"] }),
];
