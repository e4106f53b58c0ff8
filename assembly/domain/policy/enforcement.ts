// How much of what is decided is carried out: said by the document, a plan or a route. One number: the kind in its low
// byte, and above it, of a shadow, the percentage of sessions.
import { JSON_NULL, JSON_OBJECT } from "../json/node";
import { JsonWriter } from "../json/writer";
import { Choice } from "./choice";
import { Field } from "./field";
import { Fields } from "./fields";
import { Violations } from "./violations";

/** A request that is denied gets its 401, 429 or 503. */
export const ENFORCEMENT_ENFORCE: u32 = 0;
/** What is above a limit passes, and is counted. */
export const ENFORCEMENT_SHADOW: u32 = 1;
/** Everything passes, and is counted. */
export const ENFORCEMENT_OBSERVE: u32 = 2;
/** Everything passes: nothing is read, spent or counted. */
export const ENFORCEMENT_OFF: u32 = 3;
/** A plan or a route says nothing: the plan's counts in place of the route's, the document's in place of the plan's. */
export const ENFORCEMENT_INHERITED: u32 = 255;

const KINDS: Choice = new Choice(["enforce", "shadow", "observe", "off"]);
const KIND_MASK: u32 = 255;
const PERCENT_SHIFT: u32 = 8;
const ALL_SESSIONS: u32 = 100;

/** ENFORCEMENT_… without the percentage. */
// @ts-ignore: decorator
@inline
export function enforcementKind(enforcement: u32): u32 {
  return enforcement & KIND_MASK;
}

/** The percentage of ENFORCEMENT_SHADOW: 1 to 100. */
// @ts-ignore: decorator
@inline
export function shadowPercent(enforcement: u32): u32 {
  return enforcement >> PERCENT_SHIFT;
}

/** A shadow of no session enforces. */
export function shadowOf(percent: u32): u32 {
  return percent == 0 ? ENFORCEMENT_ENFORCE : ENFORCEMENT_SHADOW | (percent << PERCENT_SHIFT);
}

/** Reads the document's. */
export function readEnforcement(field: Field, fallback: u32, violations: Violations): u32 {
  return read(field, fallback, expected(), violations);
}

/** Reads a plan's or a route's: ENFORCEMENT_INHERITED where it is `null` or is not there. */
export function readEnforcementOrNull(field: Field, violations: Violations): u32 {
  const node = field.node;
  if (node !== null && node.kind == JSON_NULL) return ENFORCEMENT_INHERITED;
  return read(field, ENFORCEMENT_INHERITED, `${expected()}, or null`, violations);
}

export function printEnforcement(json: JsonWriter, enforcement: u32): void {
  const kind = enforcementKind(enforcement);
  const percent = shadowPercent(enforcement);
  if (kind == ENFORCEMENT_INHERITED) json.raw("null");
  else if (kind != ENFORCEMENT_SHADOW || percent == ALL_SESSIONS) json.string(KINDS.word(<u8>kind));
  else json.beginObject().name("shadow").integer(percent).endObject();
}

function read(field: Field, fallback: u32, wanted: string, violations: Violations): u32 {
  const node = field.node;
  if (node === null || !field.fits) return fallback;
  if (node.kind == JSON_OBJECT) {
    const fields = new Fields(node, field.path, violations);
    const percent = <u32>fields.required("shadow").integer(0, ALL_SESSIONS, ALL_SESSIONS);
    fields.rejectOthers();
    return shadowOf(percent);
  }
  const kind = KINDS.code(field.string(isKind, wanted, ""));
  if (kind < 0) return fallback;
  return <u32>kind == ENFORCEMENT_SHADOW ? shadowOf(ALL_SESSIONS) : kind;
}

function expected(): string {
  return `${KINDS.describe()}, or {"shadow": 0 to ${ALL_SESSIONS}}`;
}

function isKind(text: string): bool {
  return KINDS.code(text) >= 0;
}
