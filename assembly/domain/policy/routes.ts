// Validates the routes: each by itself, and that each can match.
import { MAX_ROUTES } from "../../contract";
import { JsonNode } from "../json/node";
import { CostBounds } from "./cost-bounds";
import { readEnforcementOrNull } from "./enforcement";
import { Field } from "./field";
import { Fields } from "./fields";
import { NO_ROUTES, Policy } from "./model";
import { MatchesValidator } from "./route-matches";
import { RouteLimitsValidator } from "./route-limits";
import { Route } from "./route-model";
import { validateSettle } from "./settle";
import { EarlierRoutes, isAmbiguousText } from "./unreachable-routes";
import { Violations, itemPath } from "./violations";

const EXPECTED_NOTHING: string = "nothing beside exempt: true";

/** @param policy with its plans; where a limit has no maxTokens that fits, costs are not compared with it */
export function validateRoutes(field: Field, policy: Policy, violations: Violations): Route[] {
  const items = field.items(0, MAX_ROUTES);
  if (items.length == 0) return NO_ROUTES;
  const validate = new RoutesValidator(new CostBounds(policy.plans, policy.limitNames), violations);
  const routes: Route[] = [];
  const before = violations.list.length;
  for (let i = 0; i < items.length && !violations.full; i++) {
    routes.push(validate.route(items[i], itemPath(field.path, i)));
  }
  if (violations.list.length == before) rejectUnreachable(routes, field.path, violations);
  return routes;
}

class RoutesValidator {
  private matches: MatchesValidator;
  private limits: RouteLimitsValidator;

  constructor(
    private costs: CostBounds,
    private violations: Violations,
  ) {
    this.matches = new MatchesValidator(violations);
    this.limits = new RouteLimitsValidator(costs, violations);
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
    const settle = fields.optional("settle");
    if (route.exempt) {
      rejectBesideExempt(cost);
      rejectBesideExempt(enforcement);
      if (limits.object().names.length > 0) limits.reject(EXPECTED_NOTHING);
      rejectBesideExempt(settle);
    } else {
      route.limits = this.limits.validate(limits);
      this.cost(cost, route);
      route.enforcement = readEnforcementOrNull(enforcement, this.violations);
      route.settle = validateSettle(settle, route.limits, this.costs, this.violations);
    }
    fields.rejectOthers();
    if (route.isForPlainPaths && match.fits && isAmbiguousText(route.match.path)) {
      const what = route.exempt ? "exempt" : "enforcement: off";
      match.violation(`can never match: ${what} holds for no path that may be read as another`);
    }
    return route;
  }

  private cost(field: Field, route: Route): void {
    if (!field.isGiven) return;
    const bound = this.costs.ofRoute(route.limits);
    if (field.isInteger(0, bound.tokens)) route.cost = <u32>field.read;
    else field.rejectNumber(bound.expected("null"), 0);
  }
}

/** `null` is as none, and what the canonical form has there. */
function rejectBesideExempt(field: Field): void {
  if (field.isGiven) field.reject(EXPECTED_NOTHING);
}

function rejectUnreachable(routes: Route[], path: string, violations: Violations): void {
  const earlier = new EarlierRoutes();
  for (let i = 0; i < routes.length && !violations.full; i++) {
    const cover = earlier.coverOf(routes[i]);
    if (cover >= 0) violations.add(itemPath(path, i), `can never match: ${itemPath(path, cover)} comes first`);
    earlier.add(routes[i]);
  }
}
