// Which build of the filter this is: 64 bits of a hash over the module, stamped into it (scripts/stamp-filter.mjs). A
// policy that one build has rejected is tried again by another.

//   0                  16
//   | "sluice-build-id:" | 8 bytes, stamped |

const STAMP: usize = memory.data<u8>([
  0x73, 0x6c, 0x75, 0x69, 0x63, 0x65, 0x2d, 0x62, 0x75, 0x69, 0x6c, 0x64, 0x2d, 0x69, 0x64, 0x3a, 0x75, 0x6e, 0x73,
  0x74, 0x61, 0x6d, 0x70, 0x64,
]);
const ID_AT: usize = 16;

export function buildId(): u64 {
  return load<u64>(STAMP, ID_AT);
}
