// Validates what a route says of further limits: from which its requests spend, and how much.
import { MAX_LIMITS_OF_ROUTE, MAX_LIMITS_OF_ROUTES } from "../../contract";
import { CostBounds } from "./cost-bounds";
import { Field } from "./field";
import { Fields } from "./fields";
import { NO_ROUTE_LIMITS, RouteLimit } from "./limit-model";
import { Violations } from "./violations";

export const EXPECTED_LIMIT: string = "the name of a limit in plans[].limits";

export class RouteLimitsValidator {
  /** In all routes so far. */
  private count: i32 = 0;

  constructor(
    private costs: CostBounds,
    private violations: Violations,
  ) {}

  /** Sorted by name. */
  validate(field: Field): RouteLimit[] {
    const object = field.object();
    const count = object.names.length;
    if (count == 0) return NO_ROUTE_LIMITS;
    this.count += count;
    if (count > MAX_LIMITS_OF_ROUTE || this.count > MAX_LIMITS_OF_ROUTES) {
      const most =
        count > MAX_LIMITS_OF_ROUTE ? `${MAX_LIMITS_OF_ROUTE} limits` : `${MAX_LIMITS_OF_ROUTES} limits in all routes`;
      field.violation(`expected at most ${most}, got ${count}`);
      return NO_ROUTE_LIMITS;
    }
    const fields = new Fields(object, field.path, this.violations);
    const limits: RouteLimit[] = [];
    for (let i = 0; i < count && !this.violations.full; i++) {
      // A name that stands twice: `optional` has named the violation at the first.
      if (object.names.indexOf(object.names[i]) < i) continue;
      const limit = this.limit(fields.optional(object.names[i]), object.names[i]);
      if (limit !== null) limits.push(limit);
    }
    return limits.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  private limit(field: Field, name: string): RouteLimit | null {
    const nameId = this.costs.nameIdOf(name);
    if (nameId < 0) {
      field.violation(`no plan has a limit of this name, expected ${EXPECTED_LIMIT}`);
      return null;
    }
    if (field.isNull) return new RouteLimit(name, nameId, 0, true);
    const bound = this.costs.ofLimit(nameId);
    if (!field.isInteger(0, bound.tokens)) field.rejectNumber(bound.expected("null for the route's cost"), 0);
    return new RouteLimit(name, nameId, <u32>field.read, false);
  }
}
