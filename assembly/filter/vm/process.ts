// What is constant for this Envoy process: its keys and its name.
import { ENV_SECRET, ENV_SECRET_ALSO, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from "../../contract";
import { edgeNameViolation } from "../../domain/edge/edge-name";
import { KEYS_BYTES, deriveKeys, keyIdOf } from "../../domain/token/keys";
import { SECRET_TOO_LONG, decodeSecret } from "../../domain/token/secret";
import { quoteJson } from "../../domain/json/writer";
import { environmentVariable } from "../../host/environment";
import { nodeId } from "../../host/node";
import { addressOf, utf8 } from "../../memory/bytes";

const primary: usize = memory.data(KEYS_BYTES, 8);
const also: usize = memory.data(KEYS_BYTES, 8);
let hasAlso: bool = false;
let edge: ArrayBuffer = new ArrayBuffer(0);
let edgeAscii: ArrayBuffer = new ArrayBuffer(0);
let loaded: bool = false;

/** Reads environment and node once. Returns what is wrong, or "" if nothing is. */
export function loadProcess(): string {
  if (loaded) return "";
  const node = nodeId();
  let violation = edgeNameViolation(node);
  if (violation.length > 0) return violation;
  const secret = environmentVariable(ENV_SECRET);
  if (secret == null) {
    return `${ENV_SECRET}: expected in Envoy's environment and in vm_config.environment_variables.host_env_keys, got nothing`;
  }
  violation = loadKeys(ENV_SECRET, secret, primary);
  if (violation.length > 0) return violation;
  const second = environmentVariable(ENV_SECRET_ALSO);
  if (second != null && second.length > 0) {
    violation = loadKeys(ENV_SECRET_ALSO, second, also);
    if (violation.length > 0) return violation;
    if (keyIdOf(also) == keyIdOf(primary)) {
      return `${ENV_SECRET_ALSO}: has the key id of ${ENV_SECRET}, which would be ambiguous; make another secret`;
    }
    hasAlso = true;
  }
  edge = utf8(quoteJson(String.UTF8.decode(node)));
  edgeAscii = visibleAscii(node);
  loaded = true;
  return "";
}

/** A header's value: what may not stand in one is shown as "?". */
function visibleAscii(bytes: ArrayBuffer): ArrayBuffer {
  const at = addressOf(bytes);
  for (let i = 0; i < bytes.byteLength; i++) {
    const byte = load<u8>(at + i);
    if (byte < 0x21 || byte > 0x7e) store<u8>(at + i, 0x3f);
  }
  return bytes;
}

/** The reason never holds the secret or a part of it. */
function loadKeys(name: string, text: string, keys: usize): string {
  const chars = utf8(text);
  const secret = new StaticArray<u8>(<i32>MAX_SECRET_BYTES);
  const length = decodeSecret(changetype<usize>(chars), chars.byteLength, changetype<usize>(secret), MAX_SECRET_BYTES);
  if (length == SECRET_TOO_LONG) return `${name}: expected at most ${MAX_SECRET_BYTES} bytes`;
  if (length < 0) return `${name}: expected base64 or hex`;
  if (<u32>length < MIN_SECRET_BYTES) return `${name}: expected at least ${MIN_SECRET_BYTES} bytes, got ${length}`;
  deriveKeys(changetype<usize>(secret), length, keys);
  memory.fill(changetype<usize>(secret), 0, MAX_SECRET_BYTES);
  return "";
}

/** The keys that make things: the credential, the table's set hash. */
export function primaryKeys(): usize {
  return primary;
}

/** The accepted keys with this id, or 0 if there are none (any more). */
export function keysWithId(keyId: u8): usize {
  if (keyId == keyIdOf(primary)) return primary;
  if (hasAlso && keyId == keyIdOf(also)) return also;
  return 0;
}

/** This edge's name as a JSON string, quotes included. */
export function edgeJson(): ArrayBuffer {
  return edge;
}

/** This edge's name as the value of a header. */
export function edgeHeader(): ArrayBuffer {
  return edgeAscii;
}
