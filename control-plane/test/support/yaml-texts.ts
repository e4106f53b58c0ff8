// YAML made of everything that the language has, well put together and not, around the fields of a policy.
import fc from "fast-check";

/** Of YAML 1.1 and 1.2, and of others. */
export const YAML_TAGS: readonly string[] = [
  ...["omap", "pairs", "set", "binary", "timestamp", "merge", "float", "int", "bool", "null", "str", "map", "seq"].map(
    (name) => `!!${name}`,
  ),
  ...["value", "yaml", "nothing"].map((name) => `!!${name}`),
  "!",
  "!foo",
  "!<tag:yaml.org,2002:omap>",
  "!<tag:yaml.org,2002:pairs>",
  "!<!bar>",
  "!e!foo",
  "!!",
];

const FIELDS = [
  "version",
  "plans",
  "routes",
  "id",
  "name",
  "maxTokens",
  "tokenRefillRate",
  "limits",
  "refill",
  "table",
];
const SCALARS = [
  ...["", "~", "null", "true", "off", "a", "default", "enforce", "-", "?", ":", "<<", "="],
  ...["0", "1", "-1", "1e999", "-0", "0x1F", "0o17", "017", "0b1", "1_000", "190:20:30", ".5", "5.", "+1"],
  ...["99999999999999999999999999", ".inf", "-.INF", ".NaN", "1e-400", "0x", "2001-12-14t21:59:43.10-05:00"],
  ...['"a\\u0000b"', '"\\ud800"', '"\\x"', '"open', "'it''s'", "'open", '"two\n  lines"', "`", "@at", "%percent"],
  ...[
    "|\n  text\n",
    ">-\n  folded\n  text\n",
    "|9\n  x\n",
    "a # comment",
    "a: b: c",
    "*",
    "&",
    "!",
    "\t",
    "a\tb",
    "é",
    "😀",
  ],
];
const BREAKS = [
  "\n",
  "\n",
  "\n",
  "\r\n",
  "\r",
  "\n\n",
  "\n\t",
  "\n---\n",
  "\n...\n",
  "\n# comment\n",
  "\u2028",
  "\u0085",
];
const DIRECTIVES = [
  "%YAML 1.1\n---\n",
  "%YAML 1.2\n---\n",
  "%YAML 9.9\n---\n",
  "%TAG ! tag:example,2000:\n---\n",
  "%TAG !! tag:yaml.org,2002:\n---\n",
  "%TAG !e! !\n---\n",
  "%TAG\n---\n",
  "%UNKNOWN x\n",
  "--- ",
  "\ufeff",
];

const names = fc.constantFrom("a", "b", "c d", "a,b", "😀");
const properties = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  { weight: 3, arbitrary: fc.constantFrom(...YAML_TAGS).map((tag) => `${tag} `) },
  { weight: 2, arbitrary: names.map((name) => `&${name} `) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...YAML_TAGS), names).map(([tag, name]) => `&${name} ${tag} `) },
);
const scalars = fc.oneof(
  fc.constantFrom(...SCALARS),
  fc.constantFrom(...FIELDS),
  names.map((name) => `*${name}`),
  fc.string({ maxLength: 8 }),
);

const indented = (text: string, by = "  "): string => text.replace(/\n/g, `\n${by}`);

const { node, block } = fc.letrec<{ flow: string; block: string; node: string; key: string }>((tie) => ({
  key: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...FIELDS) },
    { weight: 2, arbitrary: scalars },
    { weight: 1, arbitrary: fc.tuple(properties, tie("flow")).map(([props, flow]) => props + flow) },
    { weight: 1, arbitrary: fc.constant("<<") },
  ),
  flow: fc.oneof(
    { maxDepth: 4, depthIdentifier: "yaml" },
    scalars,
    fc.array(tie("node"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(tie("key"), fc.constantFrom(": ", ":", " ", " : "), tie("node")), { maxLength: 3 })
      .map((pairs) => `{ ${pairs.map((parts) => parts.join("")).join(", ")} }`),
    fc.tuple(tie("key"), tie("node")).map(([key, value]) => `[${key}: ${value}]`),
    fc.tuple(tie("key"), tie("node")).map(([key, value]) => `[? ${key} : ${value}]`),
    fc.tuple(tie("key")).map(([key]) => `{ ? ${key} }`),
  ),
  block: fc.oneof(
    { maxDepth: 4, depthIdentifier: "yaml" },
    tie("node"),
    fc
      .array(fc.tuple(tie("key"), tie("block")), { minLength: 1, maxLength: 3 })
      .map((pairs) =>
        pairs
          .map(([key, value]) => `${key}:${value.includes("\n") ? `\n  ${indented(value)}` : ` ${value}`}`)
          .join("\n"),
      ),
    fc
      .array(tie("block"), { minLength: 1, maxLength: 3 })
      .map((items) => items.map((item) => `- ${indented(item)}`).join("\n")),
    fc.tuple(tie("block"), tie("block")).map(([key, value]) => `? ${indented(key)}\n: ${indented(value)}`),
    fc.tuple(properties, tie("block")).map(([props, value]) => `${props}\n${value}`),
  ),
  node: fc.tuple(properties, tie("flow")).map(([props, flow]) => props + flow),
}));

const documents = fc.oneof(
  block,
  node,
  node.map((value) => `version: 1\nplans: ${value}\n`),
  block.map((value) => `version: 1\nplans:\n  - id: 0\n    name: ${indented(value, "      ")}\n`),
);

/** One text, or several with something between them, after nothing or a directive. */
export const yamlTexts = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constantFrom(...DIRECTIVES) }),
    fc.oneof({ weight: 5, arbitrary: documents.map((one) => [one]) }, fc.array(documents, { maxLength: 3 })),
    fc.constantFrom(...BREAKS),
  )
  .map(([directive, texts, between]) => directive + texts.join(between));
