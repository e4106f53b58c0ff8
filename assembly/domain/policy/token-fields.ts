// Validates what a policy says of the token (`header`, or `token`) and of access logs (`annotate`).
import { JSON_OBJECT, JsonNode } from "../json/node";
import { Violations, itemPath, memberPath } from "./violations";
import { Field } from "./field";
import { Fields } from "./fields";
import { Policy } from "./model";
import { EXPECTED_COOKIE, EXPECTED_HEADER, isCookieName, isSessionHeader } from "./names";
import { ANNOTATIONS, BEARER, SOURCE_BEARER, SOURCE_COOKIE, SOURCE_HEADER, TokenSource } from "./token-model";

/** More than anyone has, and each is looked at in a request without a token. */
const MAX_SOURCES: i32 = 8;
const SOURCE_NAMES: StaticArray<string> = ["header", "authorization", "cookie"];
const EXPECTED_ANNOTATION: string = '"session", "plan", "decision" or "limit"';
const EXPECTED_SOURCE: string = "an object with one of header, authorization and cookie";

/** Takes the fields into the policy; where there is a violation, the policy's own stay. */
export function validateToken(fields: Fields, violations: Violations, policy: Policy): void {
  const header = fields.optional("header");
  const token = fields.optional("token");
  const shortForm = header.string(isSessionHeader, EXPECTED_HEADER, "");
  const object = token.object();
  const both = header.node !== null && token.node !== null;
  if (both && header.fits) header.violation("stands beside token, expected it in token.from");
  if (shortForm.length > 0) policy.tokenSources = [new TokenSource(SOURCE_HEADER, shortForm.toLowerCase())];
  if (token.fits) validateTokenSection(new Fields(object, token.path, violations), violations, policy);
}

export function validateAnnotate(field: Field, violations: Violations, policy: Policy): void {
  if (field.node === null) return;
  const items = field.items(0, ANNOTATIONS.length);
  for (let i = 0; i < items.length && !violations.full; i++) {
    const item = new Field(itemPath(field.path, i), items[i], true, violations);
    const word = item.string(isAnnotation, EXPECTED_ANNOTATION, "");
    if (!item.fits) continue;
    const bit = <u8>((<i32>1) << ANNOTATIONS.indexOf(word));
    if ((policy.annotate & bit) != 0) item.reject("each word once");
    policy.annotate |= bit;
  }
}

function validateTokenSection(fields: Fields, violations: Violations, policy: Policy): void {
  const from = fields.optional("from");
  policy.forwardToken = fields.optional("forward").boolean(policy.forwardToken);
  policy.identity = fields.optional("identity").boolean(policy.identity);
  fields.rejectOthers();
  if (from.node !== null) policy.tokenSources = validateSources(from, violations);
}

function validateSources(from: Field, violations: Violations): TokenSource[] {
  const items = from.items(1, MAX_SOURCES);
  const sources: TokenSource[] = [];
  for (let i = 0; i < items.length && !violations.full; i++) {
    const source = validateSource(items[i], itemPath(from.path, i), violations);
    if (source === null) continue;
    if (hasSource(sources, source)) violations.add(itemPath(from.path, i), "stands more than once");
    sources.push(source);
  }
  return sources;
}

/** Null where there is a violation. */
function validateSource(node: JsonNode, path: string, violations: Violations): TokenSource | null {
  const isOne = node.kind == JSON_OBJECT && node.names.length == 1 && SOURCE_NAMES.includes(node.names[0]);
  if (!isOne) {
    new Field(path, node, true, violations).reject(EXPECTED_SOURCE);
    return null;
  }
  const name = node.names[0];
  const field = new Field(memberPath(path, name), node.items[0], true, violations);
  if (name == "authorization") {
    field.string(isBearer, '"Bearer"', "");
    return field.fits ? new TokenSource(SOURCE_BEARER, "") : null;
  }
  if (name == "cookie") {
    const cookie = field.string(isCookieName, EXPECTED_COOKIE, "");
    return field.fits ? new TokenSource(SOURCE_COOKIE, cookie) : null;
  }
  const header = field.string(isSessionHeader, EXPECTED_HEADER, "");
  return field.fits ? new TokenSource(SOURCE_HEADER, header.toLowerCase()) : null;
}

function hasSource(sources: TokenSource[], source: TokenSource): bool {
  for (let i = 0; i < sources.length; i++) {
    if (sources[i].kind == source.kind && sources[i].name == source.name) return true;
  }
  return false;
}

function isBearer(text: string): bool {
  return text == BEARER;
}

function isAnnotation(text: string): bool {
  return ANNOTATIONS.includes(text);
}
