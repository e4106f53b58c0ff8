// Why a build rejected a policy, kept in shared data for the leader's watch to send: one key a table.
import { MAX_VIOLATIONS_BYTES } from "../../contract";
import { JsonWriter } from "../../domain/json/writer";
import { Violation } from "../../domain/policy/violations";
import { CAS_ABSENT, sharedBytes, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { addressOf, utf8, writeBytes } from "../../memory/bytes";
import { VIOLATIONS_KEY, readTableKey, writeTableKey } from "../table/session-table";
import { Table } from "../state/table";

//   0      8       16
//   | hash | build | JSON text |

const BUILD_AT: u32 = 8;
const TEXT_AT: u32 = 16;
/** Stays below the arena, into which the host writes it. */
const MAX_TEXT_BYTES: u32 = MAX_VIOLATIONS_BYTES - TEXT_AT;
const value: usize = memory.data(4096, 8);

/** As many as fit, from the first. Written before the result; if another VM wins, its reasons are as good. */
export function keepViolations(table: Table, hash: u64, build: u64, violations: Violation[]): void {
  store<u64>(value, hash);
  store<u64>(value, build, BUILD_AT);
  const text = utf8(jsonOf(violations));
  memory.copy(value + TEXT_AT, addressOf(text), text.byteLength);
  const cas = readTableKey(table, VIOLATIONS_KEY) == OK ? sharedCas() : CAS_ABSENT;
  writeTableKey(table, VIOLATIONS_KEY, value, TEXT_AT + <u32>text.byteLength, cas);
}

/**
 * Writes `[{"path":"…","message":"…"}]` at `target`, or nothing where no reasons are kept. Where two builds have rejected
 * the policy, the reasons of the last one are kept.
 */
export function writeViolations(table: Table, hash: u64, target: usize): usize {
  if (readTableKey(table, VIOLATIONS_KEY) != OK) return target;
  const at = sharedValue();
  if (load<u64>(at) != hash) return target;
  return writeBytes(target, at + TEXT_AT, sharedBytes() - TEXT_AT);
}

function jsonOf(violations: Violation[]): string {
  const json = new JsonWriter().beginArray();
  let bytes: u32 = 2;
  for (let i = 0; i < violations.length; i++) {
    const one = new JsonWriter().beginObject();
    one.name("path").string(violations[i].path).name("message").string(violations[i].message).endObject();
    const text = one.toString();
    bytes += 1 + <u32>String.UTF8.byteLength(text);
    if (bytes > MAX_TEXT_BYTES) break;
    json.raw(text);
  }
  return json.endArray().toString();
}
