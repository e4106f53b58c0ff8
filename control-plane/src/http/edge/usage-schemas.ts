// Rows of usage in the body of a report or an acquire, and the names of further limits that they have levels of.
import { Type } from "typebox";

import { MAX_LIMITS_OF_PLAN, MAX_REPORT_ROWS } from "../../../../assembly/contract.js";

/** Each is read by itself: one that is wrong takes none of the others with it. */
export const UsageRows = Type.Array(
  Type.Unknown({
    description:
      "[session id, rev, consumed, level in microtokens, ms since the last admitted request]; and of a plan with further " +
      "limits the tag of their names, and [level, …] in the same order; one that cannot be is dropped, counted and logged, " +
      "and acknowledged with the others",
  }),
  { maxItems: MAX_REPORT_ROWS, description: `an array of at most ${MAX_REPORT_ROWS} rows` },
);

/** Of the rows' tags. */
export const FleetTags = Type.Array(Type.Unknown({ description: "a tag, 8 hex digits in lower case" }), {
  description: "an array: the tags of plans of fleet scope, whose rows say what is left of a lease",
});

/** The same: rows whose tag has no names here count without their further levels. */
export const LimitNames = Type.Record(
  Type.String(),
  Type.Unknown({ description: `names of limits, 1 to ${MAX_LIMITS_OF_PLAN}` }),
  { description: "an object: by tag, 8 hex digits in lower case, the names of its further limits" },
);
