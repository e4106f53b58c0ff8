// Which sessions a shadow of some takes (docs/policy.md, "Enforcement"): the same ones each time, on every Envoy.
import { SESSION_ID_BYTES } from "../../contract";
import { sessionIdOf } from "../token/token";

/** Whether the session of a token is among the `percent` of them. A larger percentage takes those of a smaller one too. */
export function isShadowed(token: usize, percent: u32): bool {
  // The last bytes are random (RFC 9562, UUIDv7). Mixed: whoever makes ids may not have made them evenly.
  const hash = mix(bswap(load<u32>(sessionIdOf(token) + SESSION_ID_BYTES - 4)));
  return <u32>((<u64>hash * 100) >> 32) < percent;
}

/** The end of MurmurHash3, which is public domain: each bit of the input moves half of the output's. */
function mix(value: u32): u32 {
  let hash = value;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}
