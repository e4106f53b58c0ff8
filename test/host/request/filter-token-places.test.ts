// Where the policy looks for the token: each place, their order, and forms of each that clients and attackers send.
import { describe, expect, it } from "vitest";
import type { HeaderPairs } from "../harness/host/header-map.js";
import type { Edge } from "../harness/scenes/edge.js";
import {
  BEARER,
  COOKIE,
  edgeLookingAt,
  HEADER,
  knownSession,
  linesOf,
  sendLines,
} from "../harness/scenes/placed-tokens.js";

const READ_HEADER = "proxy_get_header_map_value";
const READ_LINES = "proxy_get_header_map_pairs";
const MISSING = "sluice_missing_session";
const INVALID = "sluice_invalid_session";
const ADMITTED = "admitted";

/** "admitted", or the details of the denial. */
function outcomeOf(edge: Edge, lines: HeaderPairs): string {
  const stream = sendLines(edge, lines);
  return stream.local?.details ?? (stream.reachedUpstream ? ADMITTED : "waits");
}

/** The reads of headers that a request needs until it is decided. */
function readsOf(edge: Edge, lines: HeaderPairs): string[] {
  const names: string[] = [];
  const stop = edge.host.hooks.each(
    "before",
    ({ name }) => name.startsWith("proxy_get_header_map"),
    ({ name }) => names.push(name),
  );
  const stream = sendLines(edge, lines);
  stop();
  // A denial reads the content type as well.
  return stream.local === undefined ? names : names.slice(0, -1);
}

describe.each([HEADER, BEARER, COOKIE])("a token in %j alone", (place) => {
  it("a token is taken from the place that the policy names, by one read", () => {
    const edge = edgeLookingAt([place]);
    const { token } = knownSession(edge, place);
    expect(outcomeOf(edge, linesOf(place, token))).toBe(ADMITTED);
    expect(readsOf(edge, linesOf(place, token))).toEqual([READ_HEADER]);
  });

  it("a token in a place that the policy does not name is not looked at", () => {
    const edge = edgeLookingAt([place]);
    const { token } = knownSession(edge, place);
    const others = [HEADER, BEARER, COOKIE].filter((other) => other !== place);
    for (const other of others) expect(outcomeOf(edge, linesOf(other, token))).toBe(MISSING);
    const lines = others.flatMap((other) => linesOf(other, token));
    expect(readsOf(edge, lines)).toEqual([READ_HEADER]);
  });
});

describe("an Authorization header", () => {
  const edge = edgeLookingAt([BEARER]);
  const { token } = knownSession(edge, BEARER);
  const sent = (value: string): string => outcomeOf(edge, [["authorization", value]]);

  it.each(["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer    "])("the scheme %j is Bearer", (scheme) => {
    expect(sent(scheme + token)).toBe(ADMITTED);
  });

  it.each([
    ["of another scheme", (): string => `Session ${token}`],
    ["of Basic", (): string => "Basic dXNlcjpwYXNzd29yZA=="],
    ["of a scheme that begins as Bearer does", (): string => `Bearers ${token}`],
    ["of a scheme of six other letters", (): string => `Beaver ${token}`],
    ["whose first letter is a control character", (): string => `\x02earer ${token}`],
    ["without a scheme", (): string => token],
    ["with a tab behind the scheme", (): string => `Bearer\t${token}`],
    ["with a letter before the token", (): string => `Bearer x${token}`],
    ["with a token one character short", (): string => `Bearer ${token.slice(1)}`],
    ["with a token one character long", (): string => `Bearer ${token}x`],
    ["with the scheme alone", (): string => "Bearer"],
    ["with the scheme and a space", (): string => "Bearer "],
    ["of two, as Envoy joins them", (): string => `Bearer ${token},Bearer ${token}`],
    ["that is empty", (): string => ""],
    ["of 5 KiB", (): string => `Bearer ${"x".repeat(5120)}`],
  ])("a value %s is somebody else's", (_, value) => {
    expect(sent(value())).toBe(MISSING);
  });

  it("a Bearer value of 48 characters that is no token is invalid", () => {
    expect(sent(`Bearer ${"!".repeat(48)}`)).toBe(INVALID);
    expect(sent(`Bearer ${token.slice(0, -1)}.`)).toBe(INVALID);
  });
});

describe("a cookie", () => {
  const edge = edgeLookingAt([COOKIE]);
  const { token } = knownSession(edge, COOKIE);
  const sent = (...lines: string[]): string =>
    outcomeOf(
      edge,
      lines.map((line) => ["cookie", line.replaceAll("TOKEN", token)]),
    );

  it.each([
    "sid=TOKEN",
    "a=1; sid=TOKEN; b=2",
    "a=1;sid=TOKEN;b=2",
    " \t sid=TOKEN \t ;",
    ";;; sid=TOKEN",
    "sid = TOKEN",
    'sid="TOKEN"',
    'a="x; sid=TOKEN',
    "sid=TOKEN; sid=invented",
    "sid; sid=TOKEN",
    "xsid=1; sidx=2; SID=3; sid=TOKEN",
    "sidsid=1; a=sid=2; sid=TOKEN",
  ])("a request whose cookies are %j has the session", (line) => {
    expect(sent(line)).toBe(ADMITTED);
  });

  it.each(["", ";", "sid", "sid=", "sid=; sid=TOKEN", 'sid=""', "SID=TOKEN", "a=sid=TOKEN", "xsid=TOKEN", "=TOKEN"])(
    "a request whose cookies are %j has none",
    (line) => {
      expect(sent(line)).toBe(MISSING);
    },
  );

  it.each(["sid=invented; sid=TOKEN", "sid=TOKEN,TOKEN", "sid=TOKEN x", "sid=%22TOKEN%22", 'sid=""TOKEN""'])(
    "a request whose cookies are %j has an invalid one",
    (line) => {
      expect(sent(line)).toBe(INVALID);
    },
  );

  it("a cookie is found on any of several lines, and the first of its name counts", () => {
    expect(sent("a=1", "b=2", "c=3; sid=TOKEN")).toBe(ADMITTED);
    expect(sent("a=1", "sid=TOKEN", "sid=invented")).toBe(ADMITTED);
    expect(sent("a=1", "sid=invented", "sid=TOKEN")).toBe(INVALID);
    expect(sent("", "sid=TOKEN")).toBe(ADMITTED);
    expect(sent("sid=", "sid=TOKEN")).toBe(MISSING);
  });

  it("a cookie behind 60 KB of others is found, and beyond 64 KiB none is", () => {
    expect(sent(`a=${"x".repeat(60_000)}; sid=TOKEN`)).toBe(ADMITTED);
    expect(sent(...Array.from({ length: 60 }, (_, n) => `c${n}=${"x".repeat(1000)}`), "sid=TOKEN")).toBe(ADMITTED);
    expect(sent(`sid=TOKEN; a=${"x".repeat(65_536)}`)).toBe(MISSING);
    expect(sent("a=1", `a=${"x".repeat(65_536)}`, "sid=TOKEN")).toBe(MISSING);
    expect(sent("sid=TOKEN")).toBe(ADMITTED);
  });

  it("a request without a cookie costs one read, and one without this cookie two", () => {
    expect(readsOf(edge, [])).toEqual([READ_HEADER]);
    expect(readsOf(edge, [["cookie", "a=1"]])).toEqual([READ_HEADER, READ_LINES]);
  });
});

describe("several places of a token", () => {
  const orders = [HEADER, BEARER, COOKIE].flatMap((first) =>
    [HEADER, BEARER, COOKIE].filter((second) => second !== first).map((second) => [first, second] as const),
  );

  it.each(orders)("the first of %j and %j that a request has counts", (first, second) => {
    const edge = edgeLookingAt([first, second]);
    const { token } = knownSession(edge, first);
    const invalid = "!".repeat(48);
    expect(outcomeOf(edge, linesOf(second, token))).toBe(ADMITTED);
    expect(outcomeOf(edge, [...linesOf(second, invalid), ...linesOf(first, token)])).toBe(ADMITTED);
    expect(outcomeOf(edge, [...linesOf(first, invalid), ...linesOf(second, token)])).toBe(INVALID);
    expect(outcomeOf(edge, [])).toBe(MISSING);
    expect(readsOf(edge, linesOf(first, token))).toEqual([READ_HEADER]);
  });

  it("somebody else's Bearer token leaves the next place to count", () => {
    const edge = edgeLookingAt([BEARER, COOKIE]);
    const { token } = knownSession(edge, COOKIE);
    const jwt = `Bearer eyJhbGciOiJIUzI1NiJ9.${"x".repeat(200)}.y`;
    expect(outcomeOf(edge, [["authorization", jwt], ...linesOf(COOKIE, token)])).toBe(ADMITTED);
  });

  it("an empty header leaves the next place to count", () => {
    const edge = edgeLookingAt([HEADER, BEARER]);
    const { token } = knownSession(edge, BEARER);
    expect(outcomeOf(edge, [["x-session-id", ""], ...linesOf(BEARER, token)])).toBe(ADMITTED);
  });

  it("the last of eight places is found", () => {
    const places = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ header: `x-place-${n}` }));
    const edge = edgeLookingAt([...places, COOKIE]);
    const { token } = knownSession(edge, COOKIE);
    expect(readsOf(edge, linesOf(COOKIE, token))).toEqual(Array.from({ length: 8 }, () => READ_HEADER));
  });
});

describe("what a 401 asks for", () => {
  const challenges = (from: readonly object[]): (string | undefined)[] => {
    const edge = edgeLookingAt(from);
    const denied = [sendLines(edge, []), sendLines(edge, linesOf(from[0] ?? {}, "!".repeat(48)))];
    expect(denied.map(({ status }) => status)).toEqual([401, 401]);
    return denied.map(({ responseHeaders }) => responseHeaders?.get("www-authenticate"));
  };

  it.each([
    [[HEADER, BEARER], 'Session realm="sluice", header="X-Session-ID"'],
    [[{ header: "X-Token" }], 'Session realm="sluice", header="x-token"'],
    [[COOKIE, HEADER], 'Session realm="sluice", cookie="sid"'],
  ])("a 401 under %j asks for the first place", (from, challenge) => {
    expect(challenges(from)).toEqual([challenge, challenge]);
  });

  it.each(["application/grpc", "application/grpc-web", "application/grpc-web-text"])(
    "an answer to %s asks for a Bearer token in a header too",
    (type) => {
      const edge = edgeLookingAt([BEARER]);
      const { responseHeaders } = sendLines(edge, [["content-type", type]]);
      expect(responseHeaders?.get(":status")).toBe("200");
      expect(responseHeaders?.get("www-authenticate")).toBe('Bearer realm="sluice"');
    },
  );

  it("a 401 asks for a Bearer token, and says of one that was sent that it is invalid", () => {
    const challenge = 'Bearer realm="sluice"';
    expect(challenges([BEARER, HEADER])).toEqual([challenge, `${challenge}, error="invalid_token"`]);
  });
});
