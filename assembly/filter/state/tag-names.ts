// Which limits the tags of annexes stand for: of the policies that this VM has had in force. So a record under a former
// policy is still reported with its levels, and keeps them where the policy now in force has the same limits.
import { MAX_LIMITS_OF_PLAN } from "../../contract";
import { NO_TAG } from "../../domain/limits/limits-tag";

//   0     4                      8       9        10
//   | tag | number of its policy | bytes | limits | ["daily","search"]
//
// The highest bit beside the number: the tag is of scope fleet.

export const TAG_BYTES: u32 = 256;
const POLICY_AT: u32 = 4;
const OF_FLEET: u32 = 0x80000000;
const LENGTH_AT: u32 = 8;
const LIMITS_AT: u32 = 9;
const TEXT_AT: u32 = 10;
/** A power of two, above MAX_PLANS: the tags of one policy have room. */
const ENTRIES: u32 = 1024;
const entries: usize = memory.data(ENTRIES * TAG_BYTES, 8);
/** MAX_LIMITS_OF_PLAN names of 32 characters in quotes, with commas, in brackets: 246 bytes of TAG_BYTES. */
export const MAX_NAMES_BYTES: u32 = <u32>MAX_LIMITS_OF_PLAN * 35 + 1;

// @ts-ignore: decorator
@inline
function entryAt(number: u32): usize {
  return entries + (number & (ENTRIES - 1)) * TAG_BYTES;
}

/**
 * Notes the limits of a tag. Where there is no room, that of an older policy goes.
 * @param policyNumber grows with each policy of this VM
 */
export function noteTag(tag: u32, names: string[], isFleet: bool, policyNumber: u32): void {
  const entry = placeFor(tag, policyNumber);
  if (entry == 0) return;
  const text = names.length == 0 ? "[]" : `["${names.join('","')}"]`;
  store<u32>(entry, tag);
  store<u32>(entry, policyNumber | (isFleet ? OF_FLEET : 0), POLICY_AT);
  store<u8>(entry, <u8>text.length, LENGTH_AT);
  store<u8>(entry, <u8>names.length, LIMITS_AT);
  // Names are of ASCII characters, so that each is one byte.
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, entry + TEXT_AT);
}

/** Notes an entry of another VM: its policy is older than any of this one. */
export function noteEntry(told: usize): void {
  const tag = load<u32>(told);
  if (findTag(tag) != 0) return;
  const entry = placeFor(tag, 0);
  if (entry == 0) return;
  memory.copy(entry, told, TAG_BYTES);
  store<u32>(entry, load<u32>(told, POLICY_AT) & OF_FLEET, POLICY_AT);
}

/** That of the tag, a free one, or that of an older policy; 0: there is none. */
function placeFor(tag: u32, policyNumber: u32): usize {
  let entry: usize = 0;
  for (let probe: u32 = 0; probe < ENTRIES; probe++) {
    const at = entryAt(tag + probe);
    const known = load<u32>(at);
    if (known == 0 || known == tag) return at;
    if (entry == 0 && (load<u32>(at, POLICY_AT) & ~OF_FLEET) < policyNumber) entry = at;
  }
  return entry;
}

/** The entry of a tag, or 0: TAG_BYTES. */
export function findTag(tag: u32): usize {
  if (tag == NO_TAG) return 0;
  for (let probe: u32 = 0; probe < ENTRIES; probe++) {
    const at = entryAt(tag + probe);
    const known = load<u32>(at);
    if (known == tag) return at;
    if (known == 0) return 0;
  }
  return 0;
}

/** How many limits a tag stands for; -1: they are not known. */
export function limitsOfTag(tag: u32): i32 {
  const entry = findTag(tag);
  return entry == 0 ? -1 : load<u8>(entry, LIMITS_AT);
}

/** Whether levels under the tag are what is left of a lease. */
export function isFleetTag(tag: u32): bool {
  const entry = findTag(tag);
  return entry != 0 && (load<u32>(entry, POLICY_AT) & OF_FLEET) != 0;
}

/** Writes the names as a JSON array. Returns the address behind it; nothing where they are not known. */
export function writeNames(target: usize, tag: u32): usize {
  const entry = findTag(tag);
  if (entry == 0) return target;
  const bytes = load<u8>(entry, LENGTH_AT);
  memory.copy(target, entry + TEXT_AT, bytes);
  return target + bytes;
}

/** The names, managed; null: they are not known. */
export function namesOfTag(tag: u32): string[] | null {
  const entry = findTag(tag);
  if (entry == 0) return null;
  const text = String.UTF8.decodeUnsafe(entry + TEXT_AT, load<u8>(entry, LENGTH_AT));
  return text.length == 2 ? [] : text.substring(2, text.length - 2).split('","');
}
