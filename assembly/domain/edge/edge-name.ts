// What an edge may be called: the name of its Envoy, as the control plane takes it.
import { MAX_EDGE_NAME_BYTES } from "../../contract";
import { utf8 } from "../../memory/bytes";
import { isHighSurrogate, isLowSurrogate } from "../json/strings";

const WHERE: string = "(--service-node, or node.id in the bootstrap)";

/** What is wrong with these bytes as a name, and where it is set; "" if nothing is. */
export function edgeNameViolation(bytes: ArrayBuffer): string {
  const size = bytes.byteLength;
  if (size == 0) return `node.id: expected a name for this Envoy, got none ${WHERE}`;
  if (<u32>size > MAX_EDGE_NAME_BYTES) {
    return `node.id: expected at most ${MAX_EDGE_NAME_BYTES} bytes, got ${size} ${WHERE}`;
  }
  const name = String.UTF8.decode(bytes);
  if (!isUtf8(bytes, name)) return `node.id: expected UTF-8 ${WHERE}`;
  return hasControlCharacter(name) ? `node.id: expected no control characters ${WHERE}` : "";
}

/** Decoding takes any bytes, and encoding makes the right ones of what it took them for. */
function isUtf8(bytes: ArrayBuffer, decoded: string): bool {
  const encoded = utf8(decoded);
  if (encoded.byteLength != bytes.byteLength) return false;
  if (memory.compare(changetype<usize>(encoded), changetype<usize>(bytes), bytes.byteLength) != 0) return false;
  for (let i = 0; i < decoded.length; i++) {
    const unit = decoded.charCodeAt(i);
    if (isHighSurrogate(unit) && i + 1 < decoded.length && isLowSurrogate(decoded.charCodeAt(i + 1))) i++;
    else if (isHighSurrogate(unit) || isLowSurrogate(unit)) return false;
  }
  return true;
}

function hasControlCharacter(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < 0x20 || (char >= 0x7f && char <= 0x9f)) return true;
  }
  return false;
}
