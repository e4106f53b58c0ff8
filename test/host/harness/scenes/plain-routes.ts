// What a policy's routes and enforcement say of a request, as plainly as it can be written: what the filter is held against.
import type { Enforcement, Policy, Route } from "../../../../control-plane/src/domain/policy/policy.js";
import type { RoutedRequest } from "./routed-requests.js";

/** The first route that matches. */
export function plainRouteOf({ routes }: Policy, request: RoutedRequest): Route | undefined {
  return routes.find((route) => plainlyMatches(route, request));
}

function plainlyMatches({ match, exempt, enforcement }: Route, request: RoutedRequest): boolean {
  const { path = "/", host = "service.test", method = "GET", headers = {} } = request;
  const named = match.path !== null || match.prefix !== null || match.template !== null;
  return (
    (!named || (path !== null && pathMatches(match, path.replace(/\?.*$/, "")))) &&
    (match.methods?.includes(method) ?? true) &&
    (match.hosts === null || (host !== null && match.hosts.some((pattern) => hostMatches(pattern, host)))) &&
    (match.headers ?? []).every(({ name, value }) => name in headers && (value ?? headers[name]) === headers[name]) &&
    !((exempt || enforcement === "off") && path !== null && isAmbiguous(path.replace(/\?.*$/, "")))
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

/** The route's, else the plan's, else the document's. */
export function plainEnforcement(policy: Policy, route: Route | undefined, planId: number | undefined): Enforcement {
  const plan = policy.plans.find(({ id }) => id === planId);
  return route?.enforcement ?? plan?.enforcement ?? policy.enforcement;
}

/** What a request takes from each limit of its plan, the plan's own bucket first; 0 where a limit does not apply to it. */
export function plainCosts(
  policy: Policy,
  route: Route | undefined,
  planId: number,
): readonly { readonly name: string; readonly cost: number }[] {
  const plan = policy.plans.find(({ id }) => id === planId);
  if (plan === undefined) throw new Error(`no plan ${planId}`);
  const cost = route?.cost ?? 1;
  const further = plan.limits.map(({ name, applies }) => {
    const own = route?.limits[name];
    if (own === undefined) return { name, cost: applies === "always" ? cost : 0 };
    return { name, cost: own ?? cost };
  });
  return [{ name: plan.name, cost }, ...further];
}

/** By the formula of docs/policy.md. */
export function isShadowed(sessionId: string, percent: number): boolean {
  let hash = Number.parseInt(sessionId.slice(-8), 16);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  hash = (hash ^ (hash >>> 16)) >>> 0;
  return Math.floor((hash * 100) / 2 ** 32) < percent;
}
