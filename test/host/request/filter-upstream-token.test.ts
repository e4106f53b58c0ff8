// What the service sees of a session: its token taken out of the request, its id and plan put in.
import { describe, expect, it } from "vitest";
import type { HeaderPairs } from "../harness/host/header-map.js";
import { plan, type PolicyDocument } from "../harness/scenes/documents.js";
import { requestWith } from "../harness/scenes/edge.js";
import {
  BEARER,
  COOKIE,
  edgeLookingAt,
  HEADER,
  knownSession,
  linesOf,
  receivedOf,
  sendLines,
} from "../harness/scenes/placed-tokens.js";

const hidden: PolicyDocument = { token: { forward: false } };
const identified: PolicyDocument = { token: { identity: true } };
const SPOOFED: HeaderPairs = [
  ["X-Sluice-Session", "01890000-0000-7000-8000-000000000000"],
  ["x-sluice-plan", "gold"],
  ["X-SLUICE-PLAN", "platinum"],
  ["x-sluice-session", "second"],
];
const CHANGES = /^proxy_(add|replace|remove)_header/;

describe("a token under forward: true", () => {
  it.each([HEADER, BEARER, COOKIE])(
    "a token in %j goes on as it came, without a call that changes anything",
    (place) => {
      const edge = edgeLookingAt([place]);
      const { token } = knownSession(edge, place);
      const changes: string[] = [];
      edge.host.hooks.each(
        "before",
        ({ name }) => CHANGES.test(name) || name === "proxy_set_property",
        ({ name }) => changes.push(name),
      );
      const lines: HeaderPairs = [
        ...linesOf(place, token),
        ...SPOOFED.map(([name, value]) => [name.toLowerCase(), value] as const),
      ];
      const stream = edge.worker(0).open([...requestWith(undefined), ...lines]);
      expect(receivedOf(stream)).toEqual(lines);
      expect(changes).toEqual([]);
    },
  );
});

describe("a token under forward: false", () => {
  it("a session's header is taken out, a second one too, and others stay", () => {
    const edge = edgeLookingAt([HEADER], hidden);
    const { token } = knownSession(edge, HEADER);
    const lines: HeaderPairs = [
      ["a", "1"],
      ["x-session-id", token],
      ["authorization", `Bearer ${token}`],
      ["X-Session-ID", "other"],
      ["cookie", `sid=${token}`],
    ];
    expect(receivedOf(sendLines(edge, lines))).toEqual([lines[0], lines[2], lines[4]]);
  });

  it("an Authorization header is taken out with the token, and stays if it is another's", () => {
    const edge = edgeLookingAt([BEARER, HEADER], hidden);
    const { token } = knownSession(edge, BEARER);
    expect(receivedOf(sendLines(edge, linesOf(BEARER, token)))).toEqual([]);
    for (const other of [
      "Basic dXNlcjpwYXNzd29yZA==",
      "Bearer of.another.length",
      token,
      `Digest a="Bearer ${token}"`,
    ]) {
      const stream = sendLines(edge, [["authorization", other], ...linesOf(HEADER, token)]);
      expect(receivedOf(stream)).toEqual([["authorization", other]]);
    }
  });

  it.each([
    ["twice, as Envoy joins them", "Bearer TOKEN,Bearer TOKEN"],
    ["beside another's", "Basic dXNlcjpwYXNzd29yZA==, bearer TOKEN"],
    ["before another's", "Bearer TOKEN ,Basic dXNlcjpwYXNzd29yZA=="],
    ["behind a tab", "Bearer\t \tTOKEN"],
    ["behind 5 KB of spaces", `Bearer${" ".repeat(5000)}TOKEN`],
    ["somewhere in 70 KB", `Bearer TOKEN,${"x".repeat(70_000)}`],
  ])("a service does not get an Authorization header with a token in it: %s", (_, value) => {
    const edge = edgeLookingAt([HEADER, BEARER], hidden);
    const { token } = knownSession(edge, HEADER);
    const authorization = ["authorization", value.replaceAll("TOKEN", token)] as const;
    expect(receivedOf(sendLines(edge, [authorization, ...linesOf(HEADER, token)]))).toEqual([]);
  });

  it.each([
    [["sid=TOKEN"], []],
    [["a=1; sid=TOKEN; b=2"], ["a=1; b=2"]],
    [["sid=TOKEN; b=2"], ["b=2"]],
    [["a=1; sid=TOKEN"], ["a=1"]],
    [["a=1;sid=TOKEN;b=2"], ["a=1;b=2"]],
    [['a="x, y"; sid="TOKEN" ; b = 2;'], ['a="x, y"; b = 2;']],
    [["sid=TOKEN; a=1; sid=other; SID=3"], ["a=1; SID=3"]],
    [
      ["a=1", "sid=TOKEN", "b=2; sid=x"],
      ["a=1", "b=2"],
    ],
    [["sid=TOKEN;"], []],
  ])("a service that is sent the cookies %j gets %j", (sent, expected) => {
    const edge = edgeLookingAt([COOKIE], hidden);
    const { token } = knownSession(edge, COOKIE);
    const lines = sent.map((line) => ["cookie", line.replaceAll("TOKEN", token)] as const);
    const received = receivedOf(sendLines(edge, lines));
    expect(received).toEqual(expected.map((line) => ["cookie", line]));
  });

  it("cookies without the token are not written anew", () => {
    const edge = edgeLookingAt([HEADER, COOKIE], hidden);
    const { token } = knownSession(edge, HEADER);
    const cookies: HeaderPairs = [
      ["cookie", " a=1 ;; b"],
      ["cookie", ""],
    ];
    expect(receivedOf(sendLines(edge, [...cookies, ...linesOf(HEADER, token)]))).toEqual(cookies);
  });

  it("cookies that cannot be read, for their length, go with the token that may be among them", () => {
    const edge = edgeLookingAt([HEADER, COOKIE], hidden);
    const { token } = knownSession(edge, HEADER);
    const long = [...linesOf(HEADER, token), ["cookie", `a=${"x".repeat(65_536)}; sid=${token}`] as const];
    expect(receivedOf(sendLines(edge, long))).toEqual([]);
  });

  it("tokens are taken out of every place, also of those that were not looked at", () => {
    const edge = edgeLookingAt([HEADER, BEARER, COOKIE, { cookie: "other" }], hidden);
    const { token } = knownSession(edge, HEADER);
    const lines: HeaderPairs = [
      ...linesOf(HEADER, token),
      ...linesOf(BEARER, token),
      ["cookie", `sid=${token}; other=${token}; a=1`],
    ];
    expect(receivedOf(sendLines(edge, lines))).toEqual([["cookie", "a=1"]]);
  });

  it("a token is taken out of a request that waited for an answer, and under enforcement: off", () => {
    const edge = edgeLookingAt([COOKIE], hidden);
    const { token } = edge.newSession();
    const waiting = sendLines(edge, [["cookie", `a=1; sid=${token}`]]);
    edge.answerLive();
    expect(receivedOf(waiting)).toEqual([["cookie", "a=1"]]);
    const off = edgeLookingAt([COOKIE, BEARER], { ...hidden, enforcement: "off" });
    const lines: HeaderPairs = [["cookie", `a=1; sid=${token}`], ...linesOf(BEARER, token)];
    expect(receivedOf(sendLines(off, lines))).toEqual([["cookie", "a=1"]]);
  });
});

describe("a session that the service is told", () => {
  it("a service gets the session's id and its plan", () => {
    const edge = edgeLookingAt([HEADER], {
      ...identified,
      plans: [plan({ name: "free" }), plan({ id: 7, name: "gold-2" })],
    });
    const session = edge.newSession();
    const waiting = sendLines(edge, linesOf(HEADER, session.token));
    edge.answerLive({ plan: 7 });
    const told: HeaderPairs = [
      ["x-session-id", session.token],
      ["x-sluice-session", session.id],
      ["x-sluice-plan", "gold-2"],
    ];
    expect(receivedOf(waiting)).toEqual(told);
    expect(receivedOf(sendLines(edge, linesOf(HEADER, session.token)))).toEqual(told);
  });

  it("a service gets them once and from here, whatever the client sends under these names", () => {
    const edge = edgeLookingAt([HEADER], identified);
    const { token, id } = knownSession(edge, HEADER);
    const received = receivedOf(sendLines(edge, [...SPOOFED, ...linesOf(HEADER, token), ...SPOOFED]));
    expect([...received].sort()).toEqual([
      ["x-session-id", token],
      ["x-sluice-plan", "default"],
      ["x-sluice-session", id],
    ]);
  });

  it("a request that passes without a session has none, whatever the client sends", () => {
    const edge = edgeLookingAt([HEADER], { ...identified, enforcement: "off" });
    expect(receivedOf(sendLines(edge, [...SPOOFED, ["x-session-id", edge.newSession().token]]))).toHaveLength(1);
  });

  it("a request that passes without a bucket has the session, and its plan if that is known", () => {
    const edge = edgeLookingAt(
      [HEADER],
      { ...identified, onTableFull: "allow" },
      { settings: { table: { capacity: 1024 } } },
    );
    let told: HeaderPairs = [];
    for (let count = 0; count < 5000 && told.length !== 2; count++) {
      const session = edge.newSession();
      const stream = sendLines(edge, [...SPOOFED, ...linesOf(HEADER, session.token)]);
      edge.answerLive();
      told = receivedOf(stream);
      expect([...told].sort()[1]).toEqual(
        told.length === 2 ? ["x-sluice-session", session.id] : ["x-sluice-plan", "default"],
      );
    }
    expect(told).toHaveLength(2);
  });

  it("a denied request is not changed", () => {
    const edge = edgeLookingAt([HEADER], { token: { identity: true, forward: false } });
    const { token } = knownSession(edge, HEADER, 0);
    const stream = sendLines(edge, linesOf(HEADER, token));
    expect(stream.status).toBe(429);
    expect(stream.requestHeaders.get("x-session-id")).toBe(token);
  });
});
