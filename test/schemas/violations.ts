// Holds manifests against the recorded schemas of their kinds, strictly: a field that the schema does not name is a violation.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

interface Recorded {
  readonly $id: string;
  readonly $defs: Readonly<Record<string, object>>;
}

const folder = import.meta.dirname;
/** Some patterns are Go's: `(?i)` is a flag here. ajv asks for `code` where it makes code of schemas, which it does not here. */
const goRegExp = Object.assign(
  (pattern: string, flags: string) =>
    new RegExp(pattern.replace("(?i)", ""), pattern.includes("(?i)") ? `${flags}i` : flags),
  { code: "" },
);
// Not strict about the schemas themselves: they are as published.
const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, code: { regExp: goRegExp } });
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Recorded);
for (const schemas of recorded) ajv.addSchema(schemas);

const validators = new Map<string, ValidateFunction>();

/**
 * What is wrong with one manifest (a parsed object, not text), a line each; none: its schema accepts it.
 * A kind of which no schema is recorded is a violation too.
 */
export function violationsOf(manifest: unknown): string[] {
  const { apiVersion, kind, metadata } = (manifest ?? {}) as Partial<Record<string, unknown>>;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return ["it has no apiVersion and kind"];
  const name = (metadata as { readonly name?: unknown } | undefined)?.name;
  const titled = `${kind} ${typeof name === "string" ? name : "without a name"}`;
  const validate = validatorOf(`${kind} ${apiVersion}`);
  if (validate === undefined) return [`${titled}: no schema of ${kind} ${apiVersion} is recorded`];
  const violations = validate(manifest) ? [] : (validate.errors ?? []).map((error) => `${titled}: ${lineOf(error)}`);
  return typeof name === "string" ? violations : [...violations, `${titled}: metadata.name is missing`];
}

function validatorOf(kind: string): ValidateFunction | undefined {
  const known = validators.get(kind);
  if (known !== undefined) return known;
  const schemas = recorded.find(({ $defs }) => kind in $defs);
  if (schemas === undefined) return undefined;
  const place = kind.replaceAll("~", "~0").replaceAll("/", "~1");
  const validate = ajv.compile({ $ref: `${schemas.$id}#/$defs/${encodeURIComponent(place)}` });
  validators.set(kind, validate);
  return validate;
}

function lineOf({ instancePath, message, params }: ErrorObject): string {
  const unknown = (params as { readonly additionalProperty?: string }).additionalProperty;
  const allowed = (params as { readonly allowedValues?: readonly unknown[] }).allowedValues;
  const what = unknown === undefined ? (message ?? "is wrong") : `has the unknown field ${unknown}`;
  return `${instancePath === "" ? "/" : instancePath} ${what}${allowed === undefined ? "" : ` (${allowed.join(", ")})`}`;
}
