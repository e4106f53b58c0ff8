// What of a client's trace headers may go into a call: only what has the form of one.
import { isTraceparent, isTracestate } from "../domain/edge/traceparent";
import { addressOf, utf8 } from "../memory/bytes";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

function accepts(text: string): bool {
  const bytes = utf8(text);
  return isTraceparent(addressOf(bytes), bytes.byteLength);
}

function acceptsState(text: string): bool {
  const bytes = utf8(text);
  return isTracestate(addressOf(bytes), bytes.byteLength);
}

describe("a client's trace", () => {
  test("a traceparent of this version and of a later one of the same form is one", () => {
    expect(accepts(`00-${TRACE}-${PARENT}-01`)).toBe(true);
    expect(accepts(`00-${TRACE}-${PARENT}-00`)).toBe(true);
    expect(accepts(`fe-${TRACE}-${PARENT}-ff`)).toBe(true);
  });

  test("a traceparent of version ff, with an id of zeros, or in capitals is none", () => {
    expect(accepts(`ff-${TRACE}-${PARENT}-01`)).toBe(false);
    expect(accepts(`00-${"0".repeat(32)}-${PARENT}-01`)).toBe(false);
    expect(accepts(`00-${TRACE}-${"0".repeat(16)}-01`)).toBe(false);
    expect(accepts(`00-${TRACE.toUpperCase()}-${PARENT}-01`)).toBe(false);
    expect(accepts(`00-${TRACE}-${PARENT}-0A`)).toBe(false);
  });

  test("a traceparent that is too short, too long, or not joined by dashes is none", () => {
    expect(accepts("")).toBe(false);
    expect(accepts(`00-${TRACE}-${PARENT}-0`)).toBe(false);
    expect(accepts(`00-${TRACE}-${PARENT}-01-more`)).toBe(false);
    expect(accepts(`00_${TRACE}-${PARENT}-01`)).toBe(false);
    expect(accepts(`00-${TRACE}_${PARENT}-01`)).toBe(false);
    expect(accepts(`00-${TRACE}-${PARENT}\n01`)).toBe(false);
  });

  test("a tracestate is visible ASCII of at most 512 characters", () => {
    expect(acceptsState("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE")).toBe(true);
    expect(acceptsState("a".repeat(512))).toBe(true);
    expect(acceptsState("a".repeat(513))).toBe(false);
    expect(acceptsState("")).toBe(false);
    expect(acceptsState("a=b\r\nx-other: c")).toBe(false);
    expect(acceptsState("a=\u00e9")).toBe(false);
  });
});
