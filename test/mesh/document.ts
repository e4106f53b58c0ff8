// docs/verified.md, as a run with --write makes it.
import type { Checks } from "./checks.js";
import type { Kit } from "./site.js";
export function writeDocument(_kit: Kit, _checks: Checks): void {}
