// What it costs where the token is, and what the service and the access log learn of the session.
import type { AddedRatio } from "./added-cpu.js";
import { compare, type Run } from "./compared.js";
import type { Part } from "../stand/part.js";
import type { Section } from "../stand/section.js";
import { BARE, sluiceVariant } from "../stand/variants.js";

const HEADER = { header: "x-session-id" };
const BEARER = { authorization: "Bearer" };
const COOKIE = { cookie: "session" };
const RATIOS: readonly AddedRatio[] = [
  ["tokens.bearerOfHeader", "bearer", "sluice"],
  ["tokens.cookieOfHeader", "cookie", "sluice"],
  ["tokens.thirdOfHeader", "third", "sluice"],
  ["tokens.hiddenOfForwarded", "hidden", "sluice"],
  ["tokens.identityOfNone", "identity", "sluice"],
  ["tokens.annotateOfNone", "annotate", "sluice"],
];

const bearer = (token: string): string[] => [`authorization: Bearer ${token}`];
/** Beside what a site's analytics and preferences are. */
const cookie = (token: string): string[] => [`cookie: _ga=GA1.1.1234567890.1700000000; theme=dark; session=${token}`];

export async function tokenPlaces(part: Part): Promise<Section[]> {
  const variant = (name: string, what: string, policy: Readonly<Record<string, unknown>>): Run["variant"] =>
    sluiceVariant(name, what, part.filterPath, { table: { capacity: 8192 }, ...policy });
  const places = (from: readonly object[]) => ({ token: { from } });
  const runs: Run[] = [
    { variant: BARE },
    { variant: variant("sluice", "the token in a header, forwarded", {}) },
    { variant: variant("bearer", "in Authorization", places([BEARER])), headers: bearer },
    { variant: variant("cookie", "in the last of three cookies", places([COOKIE])), headers: cookie },
    {
      variant: variant("third", "the same, after two other places", places([HEADER, BEARER, COOKIE])),
      headers: cookie,
    },
    { variant: variant("hidden", "in a header, taken out before the service", { token: { forward: false } }) },
    { variant: variant("identity", "the service is told session and plan", { token: { identity: true } }) },
    { variant: variant("annotate", "all four notes", { annotate: ["session", "plan", "decision", "limit"] }) },
  ];
  return compare(part, {
    name: "tokens",
    title: "Where the token is, and who learns of the session",
    method: "Lean build.",
    runs,
    ratios: RATIOS,
  });
}
