// The document's schemas, as programs in other languages can read them: those with a title are components, once each, and
// formats that only this server has are left out.
import { FORMATS } from "../schemas.js";

type Node = Readonly<Record<string, unknown>>;
/** Their values are not schemas, whatever they look like. */
const VALUES = new Set(["example", "examples", "default", "enum", "const"]);

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);

/** A copy in which each object went through `change`, the inner ones first. */
function mapped(value: unknown, change: (node: Node) => Node): unknown {
  if (Array.isArray(value)) return value.map((one) => mapped(one, change));
  if (!isNode(value)) return value;
  const inner = Object.entries(value).map(([key, one]) => [key, VALUES.has(key) ? one : mapped(one, change)]);
  return change(Object.fromEntries(inner) as Node);
}

/** Without the formats that have a meaning here alone. */
export function portable(document: object): object {
  return mapped(document, ({ format, ...node }) =>
    format === undefined || (typeof format === "string" && Object.hasOwn(FORMATS, format)) ? node : { ...node, format },
  ) as object;
}

/** With a component for each title of a schema. */
export function named(document: object): object {
  const schemas: Record<string, Node> = {};
  const { components, ...rest } = mapped(document, (node) => {
    const { title, ...schema } = node;
    if (typeof title !== "string" || typeof schema.type !== "string") return node;
    schemas[title] = schema;
    return { $ref: `#/components/schemas/${title}` };
  }) as { readonly components: { readonly schemas: Node } };
  return { ...rest, components: { ...components, schemas: { ...components.schemas, ...schemas } } };
}
