// Validates the routes: each by itself, and that each can match.
import { MAX_POLICY_BYTES, MAX_ROUTES, MAX_TOKENS } from "../../contract";
import { JSON_NULL, JsonNode } from "../json/node";
import { readEnforcementOrNull } from "./enforcement";
import { Field } from "./field";
import { Fields } from "./fields";
import { NO_ROUTES, Plan } from "./model";
import { MatchesValidator } from "./route-matches";
import { Route } from "./route-model";
import { EarlierRoutes, isAmbiguousText } from "./unreachable-routes";
import { Violations, itemPath } from "./violations";

const EXPECTED_NOTHING: string = "nothing beside exempt: true";

/** @param plans validated; where one has no maxTokens that fits, costs are not compared with it */
export function validateRoutes(field: Field, plans: Plan[], violations: Violations): Route[] {
  const items = field.items(0, MAX_ROUTES);
  if (items.length == 0) return NO_ROUTES;
  const validate = new RoutesValidator(plans, violations);
  const routes: Route[] = [];
  const before = violations.list.length;
  for (let i = 0; i < items.length && !violations.full; i++) {
    routes.push(validate.route(items[i], itemPath(field.path, i)));
  }
  if (violations.list.length == before) rejectUnreachable(routes, field.path, violations);
  return routes;
}

/** The canonical form of all but the routes, and of a route with nothing in it: both with much to spare. */
const MAX_REST_BYTES: u32 = 400000;
const ROUTE_BYTES: u32 = 220;
const CONDITION_BYTES: u32 = 28;

/** Whether it takes a look at the canonical form to know: printing a large one takes as long as reading it. */
export function mayBeTooLong(routes: Route[]): bool {
  let bytes = MAX_REST_BYTES;
  for (let i = 0; i < routes.length; i++) {
    const match = routes[i].match;
    // A character may be printed as two.
    bytes += ROUTE_BYTES + 2 * match.path.length;
    for (let j = 0; j < match.methods.length; j++) bytes += match.methods[j].length + 3;
    for (let j = 0; j < match.hosts.length; j++) bytes += match.hosts[j].length + 3;
    for (let j = 0; j < match.headers.length; j++) {
      const value = match.headers[j].value;
      bytes += CONDITION_BYTES + match.headers[j].name.length + (value === null ? 0 : 2 * value.length);
    }
  }
  return bytes > MAX_POLICY_BYTES;
}

/** Said of the whole policy: what it takes grows with its defaults, and edges get it with these. */
export function rejectTooLong(field: Field, canonicalBytes: u32): void {
  if (canonicalBytes <= MAX_POLICY_BYTES) return;
  field.violation(`expected at most ${MAX_POLICY_BYTES} bytes of policy with all defaults, got ${canonicalBytes}`);
}

class RoutesValidator {
  private matches: MatchesValidator;
  private maxCost: u32 = MAX_TOKENS;
  private expectedCost: string = "";

  constructor(
    plans: Plan[],
    private violations: Violations,
  ) {
    this.matches = new MatchesValidator(violations);
    let smallest = "";
    for (let i = 0; i < plans.length; i++) {
      const tokens = plans[i].maxTokens;
      if (tokens == 0 || tokens >= this.maxCost) continue;
      this.maxCost = tokens;
      smallest = plans[i].name;
    }
    const whose = smallest.length == 0 ? "" : `, the maxTokens of plan "${smallest}"`;
    this.expectedCost = `an integer from 0 to ${this.maxCost}${whose}, or null`;
  }

  route(node: JsonNode, path: string): Route {
    const route = new Route();
    const fields = Fields.of(node, path, this.violations);
    if (fields === null) return route;
    const match = fields.required("match");
    route.match = this.matches.match(match);
    const cost = fields.optional("cost");
    const exempt = fields.optional("exempt");
    route.exempt = exempt.boolean(route.exempt);
    const enforcement = fields.optional("enforcement");
    const limits = fields.optional("limits");
    if (route.exempt) {
      rejectBesideExempt(cost);
      rejectBesideExempt(enforcement);
    } else {
      if (!isNull(cost)) route.cost = <u32>cost.integerAs(0, this.maxCost, this.expectedCost, route.cost);
      route.enforcement = readEnforcementOrNull(enforcement, this.violations);
    }
    if (limits.object().names.length > 0) {
      if (route.exempt) limits.reject(EXPECTED_NOTHING);
      else limits.rejectNotYet("an empty object");
    }
    fields.rejectOthers();
    if (route.isForPlainPaths && match.fits && isAmbiguousText(route.match.path)) {
      const what = route.exempt ? "exempt" : "enforcement: off";
      match.violation(`can never match: ${what} holds for no path that may be read as another`);
    }
    return route;
  }
}

/** `null` is as none, and what the canonical form has there. */
function rejectBesideExempt(field: Field): void {
  if (!isNull(field)) field.reject(EXPECTED_NOTHING);
}

function isNull(field: Field): bool {
  const node = field.node;
  return node !== null && node.kind == JSON_NULL;
}

function rejectUnreachable(routes: Route[], path: string, violations: Violations): void {
  const earlier = new EarlierRoutes();
  for (let i = 0; i < routes.length && !violations.full; i++) {
    const cover = earlier.coverOf(routes[i]);
    if (cover >= 0) violations.add(itemPath(path, i), `can never match: ${itemPath(path, cover)} comes first`);
    earlier.add(routes[i]);
  }
}
