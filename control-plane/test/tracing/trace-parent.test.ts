// What of a caller's headers counts as the place of its request in a trace.
import { expect, it } from "vitest";

import { readTraceParent } from "../../src/domain/trace-parent.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

it("a traceparent says trace, span and whether its caller keeps it, of later versions too", () => {
  const place = { traceId: TRACE, spanId: SPAN, isSampled: true, state: "a=b" };
  expect(readTraceParent(`00-${TRACE}-${SPAN}-01`, "a=b")).toEqual(place);
  expect(readTraceParent(`01-${TRACE}-${SPAN}-03-more`, "a=b")).toEqual(place);
  expect(readTraceParent(`00-${TRACE}-${SPAN}-02`)).toMatchObject({ isSampled: false, state: "" });
  expect(readTraceParent(`00-${TRACE}-${SPAN}-01`, "a".repeat(513))).toMatchObject({ state: "" });
});

it.each([
  undefined,
  "",
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}-${SPAN}-01\n`,
])("%j is no traceparent", (text) => {
  expect(readTraceParent(text)).toBeUndefined();
});
