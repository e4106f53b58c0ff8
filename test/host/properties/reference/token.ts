// Where a request's token is, and what is left of it for the service (docs/policy.md, "Where the token is"; docs/requests.md,
// "What the service sees").
import type { Policy, TokenSource } from "../../../../control-plane/src/domain/policy/policy.js";
import { headerOf, without, type Pairs } from "./pairs.js";

const BEARER = /^bearer +(\S{48})$/i;
const IDENTITY = ["x-sluice-session", "x-sluice-plan"] as const;

/** Of the first place that has one; it may be no token. */
export function plainTokenOf({ token }: Policy, request: Pairs): string | undefined {
  for (const source of token.from) {
    const found = valueAt(source, request);
    if (found !== undefined && found !== "") return found;
  }
  return undefined;
}

function valueAt(source: TokenSource, request: Pairs): string | undefined {
  if ("header" in source) return headerOf(request, source.header);
  if ("authorization" in source) return BEARER.exec(headerOf(request, "authorization") ?? "")?.[1];
  const cookies = request.filter(([name]) => name === "cookie").flatMap(([, line]) => line.split("; "));
  const found = cookies.find((cookie) => cookie.startsWith(`${source.cookie}=`));
  return found?.slice(source.cookie.length + 1).replace(/^"(.*)"$/, "$1");
}

export interface Identity {
  readonly session: string;
  readonly plan: string;
}

/** The lines that the service gets of a request that passes. */
export function plainForwarded({ token }: Policy, request: Pairs, identity: Identity | undefined): Pairs {
  const kept = token.forward ? request : token.from.reduce(takenOut, request);
  if (!token.identity) return kept;
  const said: Pairs =
    identity === undefined
      ? []
      : [
          [IDENTITY[0], identity.session],
          [IDENTITY[1], identity.plan],
        ];
  return [...without(kept, IDENTITY), ...said];
}

function takenOut(request: Pairs, source: TokenSource): Pairs {
  if ("header" in source) return without(request, [source.header]);
  if ("authorization" in source) {
    return BEARER.test(headerOf(request, "authorization") ?? "") ? without(request, ["authorization"]) : request;
  }
  return request.flatMap(([name, line]) => {
    if (name !== "cookie") return [[name, line] as const];
    const others = line.split("; ").filter((cookie) => !cookie.startsWith(`${source.cookie}=`));
    return others.length === 0 ? [] : [[name, others.join("; ")] as const];
  });
}
