// Builds of the filter that come to their bounds soon, or lose a worker: what takes a machine of many cores, or a defect, otherwise.
import type { TestBuild } from "../../../e2e/harness/test-builds.js";

/** Gives up on a set that one other worker wrote first, where others try 32 times. */
export const GIVES_UP_AT_ONCE: TestBuild = {
  replacements: [
    {
      file: "table/session-table.ts",
      find: "export const MAX_CAS_TRIES: u32 = 32;",
      by: "export const MAX_CAS_TRIES: u32 = 1;",
    },
  ],
  id: 0xca5n,
};

const SHARE_LINE = "return load<u16>(shareOf(shares, token)) < MAX_SETTLE_NOTES_OF_SESSION;";
/** Keeps one response of a session at a time for its cost, where others keep 1,024. */
export const SETTLES_ONE: TestBuild = {
  replacements: [
    { file: "state/settle-notes.ts", find: SHARE_LINE, by: SHARE_LINE.replace("MAX_SETTLE_NOTES_OF_SESSION", "1") },
  ],
  id: 0x5e771en,
  entry: "assembly/settle.ts",
};

const CONFIGURES_LINE = "  setBuildKind(build);\n";
const COUNTS = `
  if (readShared(vms, 3) == 0) store<u8>(vms, load<u8>(sharedValue()), 4);
  store<u8>(vms, load<u8>(vms, 4) + 1, 4);
  writeShared(vms, 3, vms + 4, 1, 0);
  if (load<u8>(vms, 4) == 4) unreachable();
`;
const IMPORT_LINE = 'import { utf8 } from "../memory/bytes";';
/** Its fourth VM, a worker's, traps as it is configured: that worker has none. */
export const LOSES_A_WORKER: TestBuild = {
  replacements: [
    {
      file: "filter/configure.ts",
      find: IMPORT_LINE,
      by: `${IMPORT_LINE}
import { readShared, sharedValue, writeShared } from "../host/shared-data";
const vms: usize = memory.data(8, 8);`,
    },
    { file: "filter/configure.ts", find: CONFIGURES_LINE, by: CONFIGURES_LINE + COUNTS },
  ],
  id: 0x1057n,
};
