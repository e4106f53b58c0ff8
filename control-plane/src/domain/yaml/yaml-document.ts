// Reads YAML as far as JSON goes: one document, no anchors, aliases, tags or directives. Knows nothing of policies.
import { Composer, Lexer, Parser, type CST, type ParsedNode } from "yaml";
import { positionsIn, type Position } from "./text-position.js";

/**
 * Collections that are open at a time, with what the parser keeps beside them. The composer recurses into them, and
 * some thousand levels exhaust the stack within a regular expression, which ends the process instead of throwing. Not
 * above the validator's own depth, so that it never has to complain of the JSON that is made from this.
 */
const MAX_PARSER_STACK = 32;

/** Words, marks and line ends. 1,000 plans and 1,000 routes have about 100,000; it bounds the time for hostile input. */
const MAX_LEXEMES = 262144;

/**
 * Repeated keys are the validator's matter. Keys are strings, so `1: x` is the field "1". Tags are kept as they are
 * written, for all of them are rejected: resolved, `!!omap` and `!!pairs` would be made into nodes without a position.
 */
const COMPOSED = {
  version: "1.2",
  schema: "core",
  uniqueKeys: false,
  stringKeys: true,
  resolveKnownTags: false,
} as const;

/** The offset is in UTF-16 units from the start of the source. */
export interface YamlViolation {
  readonly message: string;
  readonly offset: number;
}

export interface YamlDocument {
  /** Null where the document is empty, or where `violations` say why it could not be read. */
  readonly contents: ParsedNode | null;
  readonly violations: readonly YamlViolation[];
  readonly positionOf: (offset: number) => Position;
}

export function readYaml(source: string): YamlDocument {
  const positionOf = positionsIn(source);
  const { tokens, violations } = parse(source);
  if (violations.length > 0) return { contents: null, violations, positionOf };
  const composer = new Composer(COMPOSED);
  const [document] = composer.compose(tokens, true, source.length);
  return { contents: document?.contents ?? null, violations: causes(document?.errors ?? []), positionOf };
}

/** As the library says it. */
interface Mistake {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/**
 * Of what is no YAML the first place alone: past it the parser has lost its way, and names what follows from it. A tab never
 * follows from anything. Keys that are no words are each a cause of their own.
 */
function causes(errors: readonly Mistake[]): YamlViolation[] {
  const keys = errors.filter(({ code }) => code === "NON_STRING_KEY");
  const others = errors.filter(({ code }) => code !== "NON_STRING_KEY");
  const tabs = others.filter(({ code }) => code === "TAB_AS_INDENT");
  const [first] = (tabs.length > 0 ? tabs : others).toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (first === undefined) return keys.map(({ pos }) => ({ message: "expected a plain word as key", offset: pos[0] }));
  return [{ message: first.message, offset: first.pos[0] }];
}

/** The tokens of one document, or why there is none. */
function parse(source: string): { tokens: CST.Token[]; violations: YamlViolation[] } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_PARSER_STACK) {
      return { tokens, violations: [{ message: "nested too deep", offset: parser.offset - lexeme.length }] };
    }
    lexemes += 1;
    if (lexemes > MAX_LEXEMES)
      return { tokens, violations: [{ message: "too many words", offset: parser.offset - lexeme.length }] };
  }
  tokens.push(...parser.end());
  const directives = tokens.filter((token) => token.type === "directive");
  const furtherDocuments = tokens.filter((token) => token.type === "document").slice(1, 2);
  const violations = [
    ...directives.map(({ offset }) => ({ message: "expected no directive", offset })),
    ...furtherDocuments.map(({ offset }) => ({ message: "expected one document, got another one", offset })),
  ];
  return { tokens, violations };
}
