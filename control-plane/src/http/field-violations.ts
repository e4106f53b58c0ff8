// What the client reads of a violation: which field, and what was expected there. Of several the validator's last error
// counts, which is about the whole where the others are about the choices in it.
import type { CurrentPolicy } from "../app/ports/ports.js";
import type { ErrorDetail } from "./errors.js";

/** What the validator (Ajv, with `verbose`) says of a violation, as far as it is read here. */
export interface ValidatorError {
  readonly keyword: string;
  /** JSON pointer into the body or the parameters. */
  readonly instancePath: string;
  readonly params: Record<string, unknown>;
  readonly parentSchema?: SchemaNode;
}

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** A name that the client made up is repeated only so far. */
const MAX_ECHOED_CHARS = 64;
/** A policy may have a thousand plans. */
const MAX_NAMED_PLANS = 20;

/** Field and message of a violation. The wrong value is never repeated: it may be a secret in the wrong field. */
export function describeViolation(violation: ValidatorError): ErrorDetail {
  const path = violation.instancePath.split("/").slice(1);
  const properties = violation.parentSchema?.properties ?? {};
  if (violation.keyword === "required") {
    const missing = String(violation.params.missingProperty);
    return detail([...path, missing], "missing", expected(properties[missing]));
  }
  if (violation.keyword === "additionalProperties") {
    const unknown = String(violation.params.additionalProperty).slice(0, MAX_ECHOED_CHARS);
    return detail([...path, unknown], "unknown", `expected one of ${Object.keys(properties).join(", ")}`);
  }
  return detail(path, "wrong", expected(violation.parentSchema));
}

/** Of a field that has the schema's form and yet is not what was expected. */
export function wrongField(field: string, description: string): ErrorDetail {
  return detail([field], "wrong", expected({ description }));
}

/** Of a parameter that stands in the query more than once. */
export function repeatedField(name: string): ErrorDetail {
  return detail([name.slice(0, MAX_ECHOED_CHARS)], "repeated", "expected once");
}

/** Of a parameter in the query of a route that takes none. */
export function unexpectedParameter(name: string): ErrorDetail {
  return detail([name.slice(0, MAX_ECHOED_CHARS)], "unknown", "expected no parameter in the query");
}

/** Names the plans that there are; the catalogue's message while no policy is loaded. */
export function unknownPlan(policies: CurrentPolicy): ErrorDetail {
  const names = policies.current()?.policy.plans.map(({ name }) => name);
  if (names === undefined) return { field: "plan" };
  const more = names.length > MAX_NAMED_PLANS ? ` and ${names.length - MAX_NAMED_PLANS} more` : "";
  return detail(["plan"], "unknown", `expected one of ${names.slice(0, MAX_NAMED_PLANS).join(", ")}${more}`);
}

const expected = (node: SchemaNode | undefined): string => `expected ${node?.description ?? "another value"}`;

function detail(path: readonly string[], what: string, expectation: string): ErrorDetail {
  if (path.length === 0) return { message: `The body is ${what}: ${expectation}` };
  const field = path.join(".");
  return { field, message: `${field} is ${what}: ${expectation}` };
}
