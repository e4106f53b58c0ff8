// A route of the policy as the programs use it: which requests it takes, and what they cost. Compiled for requests in
// domain/routes.
import { ENFORCEMENT_INHERITED, ENFORCEMENT_OFF } from "./enforcement";
import { NO_ROUTE_LIMITS, RouteLimit } from "./limit-model";
import { Settle } from "./settle-model";

/** Whatever the path, also none. */
export const PATH_ANY: u8 = 0;
export const PATH_EXACT: u8 = 1;
/** It, and what is below it. */
export const PATH_PREFIX: u8 = 2;
/** With `{name}` for one segment, and `{name*}` for all that is left. */
export const PATH_TEMPLATE: u8 = 3;

export class HeaderCondition {
  /** @param value null: the header is there, whatever it says */
  constructor(
    public name: string,
    public value: string | null,
  ) {}
}

/** All of it must hold. An empty list holds for every request. */
export class RouteMatch {
  pathKind: u8 = PATH_ANY;
  /** As it stands in the document. */
  path: string = "";
  methods: string[] = [];
  /** Lower case; a name, or `*.` and one. */
  hosts: string[] = [];
  /** Their names in lower case. */
  headers: HeaderCondition[] = [];
}

export class Route {
  match: RouteMatch = new RouteMatch();
  /** Tokens that a request takes. Of no meaning where it is exempt. */
  cost: u32 = 1;
  exempt: bool = false;
  /** See enforcement.ts. */
  enforcement: u32 = ENFORCEMENT_INHERITED;
  /** Sorted by name: of which further limits its requests spend another cost, or spend at all. */
  limits: RouteLimit[] = NO_ROUTE_LIMITS;
  /** Where the response says what the request really cost. */
  settle: Settle | null = null;

  /** It lets requests pass unseen: so only those whose path has one reading. */
  get isForPlainPaths(): bool {
    return this.exempt || this.enforcement == ENFORCEMENT_OFF;
  }
}
