// Work under claims, for tests: by default of a process that has its store for itself.
import { ALL_CLAIMS } from "../../src/app/ports/claim-ports.js";
import type { ClaimMeter, Claims } from "../../src/app/ports/claim-ports.js";
import type { Clock, Logger } from "../../src/app/ports/ports.js";
import { ClaimedWork } from "../../src/app/upkeep/claimed-work.js";
import { FixedClock } from "./fixed-clock.js";
import { quiet } from "./quiet-logger.js";

export const claimedWork = (
  claims: Claims = ALL_CLAIMS,
  parts: { readonly clock?: Clock; readonly logger?: Logger; readonly meter?: ClaimMeter } = {},
): ClaimedWork =>
  new ClaimedWork({ claims, clock: new FixedClock(), logger: quiet, meter: { claimed: () => undefined }, ...parts });
