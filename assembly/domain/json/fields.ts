// Typed access to an object's members for answers of the control plane: a member is found, absent, or does not fit.
import { JSON_FALSE, JSON_NUMBER, JSON_OBJECT, JSON_STRING, JSON_TRUE, JsonNode } from "./node";
import { NUMBER_FITS, scaleNumber } from "./number";

export const FIELD_FOUND: u8 = 0;
export const FIELD_ABSENT: u8 = 1;
/** Of another type, repeated, or a number that is no integer from 0 to 2^64 - 1. */
export const FIELD_UNFIT: u8 = 2;

/** `value` counts only when `state` is FIELD_FOUND. */
export class StringField {
  constructor(
    public state: u8,
    public value: string,
  ) {}
}

/** `value` counts only when `state` is FIELD_FOUND. */
export class U64Field {
  constructor(
    public state: u8,
    public value: u64,
  ) {}
}

/** `value` counts only when `state` is FIELD_FOUND. */
export class BoolField {
  constructor(
    public state: u8,
    public value: bool,
  ) {}
}

export function getString(object: JsonNode, name: string): StringField {
  const at = memberAt(object, name);
  if (at < 0) return new StringField(stateOfMissing(at), "");
  const node = object.items[at];
  return node.kind == JSON_STRING ? new StringField(FIELD_FOUND, node.text) : new StringField(FIELD_UNFIT, "");
}

export function getU64(object: JsonNode, name: string): U64Field {
  const at = memberAt(object, name);
  if (at < 0) return new U64Field(stateOfMissing(at), 0);
  const node = object.items[at];
  if (node.kind != JSON_NUMBER) return new U64Field(FIELD_UNFIT, 0);
  const number = scaleNumber(node.text, 0);
  return number.state == NUMBER_FITS ? new U64Field(FIELD_FOUND, number.value) : new U64Field(FIELD_UNFIT, 0);
}

export function getBool(object: JsonNode, name: string): BoolField {
  const at = memberAt(object, name);
  if (at < 0) return new BoolField(stateOfMissing(at), false);
  const kind = object.items[at].kind;
  if (kind != JSON_TRUE && kind != JSON_FALSE) return new BoolField(FIELD_UNFIT, false);
  return new BoolField(FIELD_FOUND, kind == JSON_TRUE);
}

const NOT_THERE: i32 = -1;
const AMBIGUOUS: i32 = -2;

/** The member's index. A node that is no object, and a name that stands twice, have no answer either: AMBIGUOUS. */
function memberAt(object: JsonNode, name: string): i32 {
  if (object.kind != JSON_OBJECT) return AMBIGUOUS;
  const first = object.names.indexOf(name);
  if (first < 0) return NOT_THERE;
  return object.names.indexOf(name, first + 1) < 0 ? first : AMBIGUOUS;
}

function stateOfMissing(at: i32): u8 {
  return at == NOT_THERE ? FIELD_ABSENT : FIELD_UNFIT;
}
