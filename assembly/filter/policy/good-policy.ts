// The last policy that a VM of this Envoy has accepted, with its bytes: one shared-data key a table. A VM that is replaced
// while the newest one is being tried, was rejected or traps goes on with it, as the others do.
import { MAX_EDGE_ANSWER_BYTES } from "../../contract";
import { CAS_ABSENT, sharedBytes, sharedCas, sharedValue } from "../../host/shared-data";
import { addressOf, utf8 } from "../../memory/bytes";
import { followsLog } from "./bell";
import { hashOfBytes } from "../state/epoch";
import { readInto } from "./policy-bytes";
import { GOOD_POLICY_KEY, writeTableKey } from "../table/session-table";
import { Table } from "../state/table";

//   0     8            16     24      32
//   | log | generation | hash | build | bytes |

const GENERATION_AT: u32 = 8;
const HASH_AT: u32 = 16;
const BUILD_AT: u32 = 24;
const BYTES_AT: u32 = 32;

export class GoodPolicy {
  constructor(
    public log: u64,
    public generation: u64,
    public hash: u64,
    public text: string,
  ) {}
}

/** Keeps a policy that this build has just accepted, unless a newer one is kept. If another VM wins, it was as good. */
export function keepGoodPolicy(table: Table, policy: GoodPolicy, build: u64): void {
  const scratch = new StaticArray<u8>(<i32>(BYTES_AT + MAX_EDGE_ANSWER_BYTES));
  const stands = readInto(table, GOOD_POLICY_KEY, scratch);
  const cas = stands ? sharedCas() : CAS_ABSENT;
  const value = sharedValue();
  if (stands && load<u64>(value) == policy.log && load<u64>(value, GENERATION_AT) > policy.generation) return;
  if (!followsLog(table, policy.log)) return;
  const bytes = utf8(policy.text);
  const block = changetype<usize>(scratch);
  store<u64>(block, policy.log);
  store<u64>(block, policy.generation, GENERATION_AT);
  store<u64>(block, policy.hash, HASH_AT);
  store<u64>(block, build, BUILD_AT);
  memory.copy(block + BYTES_AT, addressOf(bytes), bytes.byteLength);
  writeTableKey(table, GOOD_POLICY_KEY, block, BYTES_AT + <u32>bytes.byteLength, cas);
}

/** The last one that this build accepted, or null if none is kept. */
export function readGoodPolicy(table: Table, build: u64): GoodPolicy | null {
  const block = new StaticArray<u8>(<i32>(BYTES_AT + MAX_EDGE_ANSWER_BYTES));
  if (!readInto(table, GOOD_POLICY_KEY, block)) return null;
  const value = sharedValue();
  const size = sharedBytes() - BYTES_AT;
  const hash = load<u64>(value, HASH_AT);
  if (load<u64>(value, BUILD_AT) != build || hashOfBytes(value + BYTES_AT, size) != hash) return null;
  const text = String.UTF8.decodeUnsafe(value + BYTES_AT, size);
  return new GoodPolicy(load<u64>(value), load<u64>(value, GENERATION_AT), hash, text);
}
