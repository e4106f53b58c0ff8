// What a policy's routes and enforcement say of a request, as plainly as it can be written (docs/policy.md, "Routes" and
// "Enforcement").
import type { Enforcement, Policy, Route } from "../../../../control-plane/src/domain/policy/policy.js";
import { headerOf, type Pairs } from "./pairs.js";

/** The first route that matches. */
export function plainRouteOf({ routes }: Policy, request: Pairs): Route | undefined {
  return routes.find((route) => plainlyMatches(route, request));
}

function plainlyMatches({ match, exempt, enforcement }: Route, request: Pairs): boolean {
  const path = headerOf(request, ":path")?.replace(/\?.*$/, "");
  const host = headerOf(request, ":authority");
  const named = match.path !== null || match.prefix !== null || match.template !== null;
  return (
    (!named || (path !== undefined && pathMatches(match, path))) &&
    (match.methods?.includes(headerOf(request, ":method") ?? "") ?? true) &&
    (match.hosts === null || (host !== undefined && match.hosts.some((pattern) => hostMatches(pattern, host)))) &&
    (match.headers ?? []).every(({ name, value }) => {
      const given = headerOf(request, name);
      return given !== undefined && (value ?? given) === given;
    }) &&
    !((exempt || enforcement === "off") && path !== undefined && isAmbiguous(path))
  );
}

function pathMatches({ path, prefix, template }: Route["match"], asked: string): boolean {
  if (path !== null) return asked === path;
  if (prefix !== null) return asked === prefix || asked.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  const pattern = (template ?? "")
    .replace(/[.*+?^$()|[\]\\]/g, "\\$&")
    .replace(/\{\w+\\\*\}/, ".*")
    .replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(asked);
}

function hostMatches(pattern: string, host: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  return pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) && name.length >= pattern.length : name === pattern;
}

function isAmbiguous(path: string): boolean {
  return /\/\/|\/\.\.?(\/|;|%|$)|%(?![0-9a-f]{2})|%([01][0-9a-f]|2[35ef]|3[bf]|5c|7f|c[01])|[^!-~]|[\\#]/i.test(path);
}

/** The route's, else the plan's, else the document's. Without a session there is no plan. */
export function plainEnforcement(policy: Policy, route: Route | undefined, planId?: number): Enforcement {
  const plan = policy.plans.find(({ id }) => id === planId);
  return route?.enforcement ?? plan?.enforcement ?? policy.enforcement;
}

/** Nothing of such a policy is anything but off. */
export function isOffForAll({ enforcement, plans, routes }: Policy): boolean {
  return enforcement === "off" && [...plans, ...routes].every((one) => (one.enforcement ?? "off") === "off");
}

/** Whether what the limits deny passes. */
export function passesDenied(enforcement: Enforcement, sessionId: string): boolean {
  if (typeof enforcement === "object") return isShadowed(sessionId, enforcement.shadow);
  return enforcement === "shadow" || enforcement === "observe";
}

/** By the formula of docs/policy.md. */
export function isShadowed(sessionId: string, percent: number): boolean {
  let hash = Number.parseInt(sessionId.slice(-8), 16);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  hash = (hash ^ (hash >>> 16)) >>> 0;
  return Math.floor((hash * 100) / 2 ** 32) < percent;
}
