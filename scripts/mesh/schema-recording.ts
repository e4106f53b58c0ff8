// Turns a published schema into one that a test validates with: no prose, nothing but what is described, and what stands
// in it more than once stands in it once.
import { KUBERNETES_FILE } from "./schema-sources.js";

export type Json = { readonly [key: string]: unknown };

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const DEFINITIONS = "#/$defs/";
/** Anything shorter costs less where it is. */
const SHARED_CHARS = 300;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Not so a map of properties, one of which may be called "type". */
const isTyped = ({ type }: Json): boolean => typeof type === "string" || Array.isArray(type);

/** Of the built-in kinds: they are strict already. References lead into the file of the kinds themselves. */
export function withoutProse(schema: Json): Json {
  return mapped(schema, (key, value) => {
    if (["description", "$id", "$schema"].includes(key) && typeof value === "string") return undefined;
    if (key === "format" || key.startsWith("x-kubernetes-")) return undefined;
    if (key === "$ref" && typeof value === "string") return value.replace(/^.*\/\$defs\//, DEFINITIONS);
    return value;
  });
}

/** Every object, from the innermost to the outermost, with what `change` makes of its values; undefined drops one. */
function mapped(value: Json, change: (key: string, value: unknown, within: Json) => unknown): Json {
  const visit = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(visit);
    return isObject(inner) ? mapped(inner, change) : inner;
  };
  const entries = Object.entries(value).map(([key, inner]) => [key, change(key, visit(inner), value)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

/** The whole schema of a kind that a CustomResourceDefinition describes: what its API server would prune is a violation. */
export function recordedKind(schema: Json): Json {
  const closed = structural(schema);
  // Istio's say nothing of these two.
  const properties = {
    ...(closed["properties"] as Json),
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { $ref: `${KUBERNETES_FILE}${DEFINITIONS}${OBJECT_META}` },
  };
  return { ...closed, properties };
}

const KEPT = ["enum", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "required"];
const JUNCTORS = ["allOf", "anyOf", "oneOf", "not"];

/**
 * A structural schema, closed. Kept are its types, bounds and the junctors, which say what goes together.
 * Rules in CEL are left out: only an API server can judge them.
 */
function structural(schema: Json): Json {
  const result: Record<string, unknown> = {};
  for (const key of [...KEPT, ...JUNCTORS]) if (key in schema) result[key] = schema[key];
  const { type, properties, items, additionalProperties } = schema;
  if (schema["x-kubernetes-int-or-string"] === true) return { ...result, type: ["integer", "string"] };
  if (type !== undefined) result["type"] = schema["nullable"] === true ? [type, "null"] : type;
  if (isObject(properties)) {
    result["properties"] = Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [name, structural(inner as Json)]),
    );
  }
  if (isObject(items)) result["items"] = structural(items);
  if (isObject(additionalProperties)) result["additionalProperties"] = structural(additionalProperties);
  else if (isObject(properties) && schema["x-kubernetes-preserve-unknown-fields"] !== true) {
    result["additionalProperties"] = false;
  }
  return result;
}

/** The schemas of one source. */
export class RecordedSchemas {
  readonly #definitions = new Map<string, Json>();

  constructor(
    private readonly source: string,
    private readonly license: string,
  ) {}

  /** @param name kind and version: `Deployment apps/v1` */
  add(name: string, schema: Json): void {
    this.#definitions.set(name, schema);
  }

  /** Adds what is referred to, and what that refers to. */
  addReferred(definition: (name: string) => Json): void {
    const referred = (schema: Json): string[] =>
      [...JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)].map(([, name = ""]) => name);
    const wanted = [...this.#definitions.values()].flatMap(referred);
    if (!wanted.includes(OBJECT_META)) wanted.push(OBJECT_META);
    for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
      if (this.#definitions.has(name)) continue;
      const schema = definition(name);
      this.#definitions.set(name, schema);
      wanted.push(...referred(schema));
    }
  }

  /** Puts whatever is in there more than once under a name of its own, the largest first. */
  shareRepeated(): void {
    const times = new Map<string, number>();
    const count = (value: unknown): unknown => {
      const text = JSON.stringify(value);
      if (isObject(value) && text.length >= SHARED_CHARS) times.set(text, (times.get(text) ?? 0) + 1);
      return value;
    };
    for (const schema of this.#definitions.values()) mapped(schema, (_, value) => count(value));
    const names = new Map<string, string>();
    const shared = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shared);
      if (!isObject(value)) return value;
      const text = JSON.stringify(value);
      if ((times.get(text) ?? 0) < 2 || !isTyped(value)) return inside(value);
      const known = names.get(text) ?? `shared-${names.size + 1}`;
      if (!names.has(text)) {
        names.set(text, known);
        this.#definitions.set(known, inside(value));
      }
      return { $ref: DEFINITIONS + known };
    };
    const inside = (value: Json): Json =>
      Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shared(inner)]));
    for (const [name, schema] of [...this.#definitions]) this.#definitions.set(name, inside(schema));
  }

  /** One definition a line, sorted, so that a later recording shows as what differs. */
  text(file: string): string {
    const lines = [...this.#definitions]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`);
    const head = JSON.stringify({ $id: file, $comment: `Recorded from ${this.source}, ${this.license}.` }).slice(1, -1);
    return `{${head},\n"$defs":{\n${lines.join(",\n")}\n}}\n`;
  }
}
