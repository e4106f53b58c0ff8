// The id of an invalidation log: LOG_CHARS lower-case hex digits on the wire, a number in the table. Never 0.
import { LOG_CHARS } from "../../contract";
import { FIELD_FOUND, getString } from "../json/fields";
import { JsonNode } from "../json/node";

/** The member `log` of an answer, or 0 if it is none. */
export function readLog(object: JsonNode): u64 {
  const field = getString(object, "log");
  if (field.state != FIELD_FOUND || <u32>field.value.length != LOG_CHARS) return 0;
  let log: u64 = 0;
  for (let i = 0; i < field.value.length; i++) {
    const digit = hexValue(field.value.charCodeAt(i));
    if (digit < 0) return 0;
    log = (log << 4) | (<u64>digit);
  }
  return log;
}

function hexValue(char: i32): i32 {
  if (char >= 48 && char <= 57) return char - 48;
  return char >= 97 && char <= 102 ? char - 87 : -1;
}
