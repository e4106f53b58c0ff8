// The worked examples of docs/policy.md, played: each policy comes from the page, and does what the page says of it.
import { describe, expect, it } from "vitest";
import { sectionOf } from "../../unit/docs.js";
import { levelOf, outcomes } from "../harness/scenes/routed-requests.js";
import { EVENT_HEADERS, JSON_HEADERS, pieces } from "../harness/scenes/settling.js";
import {
  exampleInForce,
  leftIn,
  opened,
  passes,
  publish,
  statusOf,
  yamlOf,
  type Example,
} from "../harness/scenes/worked-examples.js";

const FREE = 0;
const PRO = 1;
const TRIAL = 0;
const PAID = 1;
const VISITOR = 0;
const USER = 1;
const PARTNER = 1;

describe("the example of an API with plans", () => {
  it("an API with plans serves health checks and public pages to everybody, and nothing else", () => {
    const api = exampleInForce("an API with plans");
    expect(statusOf(api, { path: "/healthz" })).toBe(200);
    expect(statusOf(api, { path: "/public/prices" })).toBe(200);
    expect(statusOf(api, { path: "/public/prices", method: "POST" })).toBe(401);
    expect(statusOf(api, { path: "/search" })).toBe(401);
    expect(outcomes(api.edge)).toEqual({ exempt: 2, missing: 2 });
  });

  it.each([
    ["/me/orders", "GET", 0],
    ["/search", "GET", 5],
    ["/users/7/export", "POST", 20],
    ["/users/7/export", "GET", 1],
    ["/orders", "GET", 1],
  ])("an API with plans takes of %s by %s what its route says: %d", (path, method, cost) => {
    const api = exampleInForce("an API with plans");
    const session = api.edge.newSession();
    expect(statusOf(api, { path, method, session })).toBe(200);
    expect(levelOf(api.edge, session)).toBe(60 - cost);
  });

  it("an API with plans admits by plan, and serves what costs nothing to who has spent all", () => {
    const api = exampleInForce("an API with plans");
    for (const [plan, searches] of [
      [FREE, 12],
      [PRO, 120],
    ] as const) {
      const session = api.edge.newSession(plan);
      expect(passes(api, 130, { path: "/search", session }, plan)).toBe(searches);
      expect(passes(api, 100, { path: "/me", session }, plan)).toBe(100);
    }
  });
});

describe("the example of an LLM gateway", () => {
  const CHAT = { path: "/v1/chat/completions", method: "POST" };
  const answered = (usage: string): Uint8Array[] => pieces(`{"choices":[],"usage":${usage}}`);

  it("a chat request holds 4,000 tokens until its answer says that it took 700", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    const stream = opened(gateway, { ...CHAT, session });
    expect([levelOf(gateway.edge, session), leftIn(gateway, session, "llm")]).toEqual([19, 16_000]);
    stream.respondWith(JSON_HEADERS, answered('{"total_tokens":700}'));
    expect(leftIn(gateway, session, "llm")).toBe(19_300);
  });

  it("chat requests that are under way never pass the limit together", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    const streams = Array.from({ length: 6 }, () => opened(gateway, { ...CHAT, session }));
    expect(streams.map(({ state }) => state === "upstream")).toEqual([true, true, true, true, true, false]);
    expect(streams[5]?.local).toMatchObject({ status: 429, details: "sluice_limited_llm" });
  });

  it("an answer without usage and a client that hangs up have cost what was reserved", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    opened(gateway, { ...CHAT, session }).respondWith(JSON_HEADERS, answered("null"));
    opened(gateway, { ...CHAT, session }).abandon();
    expect(leftIn(gateway, session, "llm")).toBe(12_000);
  });

  it("an event stream is settled by the usage in its last event", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    const events = 'data: {"usage":null}\n\ndata: {"choices":[],"usage":{"total_tokens":1200}}\n\ndata: [DONE]\n\n';
    opened(gateway, { ...CHAT, session }).respondWith(EVENT_HEADERS, pieces(events, 7));
    expect(leftIn(gateway, session, "llm")).toBe(18_800);
  });

  it("embeddings are settled by their header, in thousandths of a token, rounded up", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    const stream = opened(gateway, { path: "/v1/embeddings", method: "POST", session });
    expect(leftIn(gateway, session, "llm")).toBe(19_500);
    stream.respond({ ":status": "200", "x-cost": "1500" });
    expect(leftIn(gateway, session, "llm")).toBe(19_998);
  });

  it("images are limited where the plan has such a limit, else they cost 1 of its own bucket", () => {
    const images = { path: "/v1/images", method: "POST" };
    const gateway = exampleInForce("an LLM gateway");
    const [trial, paid] = [gateway.edge.newSession(TRIAL), gateway.edge.newSession(PAID)];
    expect(passes(gateway, 60, { ...images, session: trial }, TRIAL)).toBe(20);
    expect(passes(gateway, 60, { ...images, session: paid }, PAID)).toBe(50);
    expect(opened(gateway, { ...images, session: paid }, PAID).local?.details).toBe("sluice_limited_images");
    expect(statusOf(gateway, { path: "/healthz" })).toBe(200);
  });

  it("20,000 a day come back at about 14 a minute", () => {
    const gateway = exampleInForce("an LLM gateway");
    const session = gateway.edge.newSession(TRIAL);
    opened(gateway, { ...CHAT, session }).abandon();
    gateway.edge.passMs(60_000);
    expect(statusOf(gateway, { path: "/v1/models", session })).toBe(200);
    expect(leftIn(gateway, session, "llm")).toBe(16_013);
  });
});

describe("the example of a login page", () => {
  const LOGIN = { path: "/login", method: "POST" };

  it("a sixth attempt to log in is denied until Retry-After, and pages go on", () => {
    const page = exampleInForce("a login page");
    const session = page.edge.newSession(VISITOR);
    expect(passes(page, 5, { ...LOGIN, session })).toBe(5);
    const { local } = opened(page, { ...LOGIN, session });
    expect([local?.status, local?.details]).toEqual([429, "sluice_limited_login"]);
    const waitS = Number(local?.headers.get("retry-after"));
    expect(waitS).toBe(360);
    expect(statusOf(page, { path: "/account", session })).toBe(200);
    page.edge.passMs(waitS * 1000);
    expect(passes(page, 2, { ...LOGIN, session })).toBe(1);
  });

  it("a reset that mail denies takes nothing of login", () => {
    const page = exampleInForce("a login page");
    const reset = { path: "/password-reset", method: "POST", session: page.edge.newSession(VISITOR) };
    expect(passes(page, 3, reset)).toBe(3);
    expect(opened(page, reset).local?.details).toBe("sluice_limited_mail");
    expect(leftIn(page, reset.session, "login")).toBe(2);
  });

  it("new visitors stay outside while the control plane is away, and users are served", () => {
    const page = exampleInForce("a login page");
    const [visitor, user] = [VISITOR, USER].map((planId) => {
      const stream = page.edge.worker(0).request([
        [":method", "GET"],
        [":path", "/account"],
        ["x-session-id", page.edge.newSession(planId).token],
      ]);
      page.edge.callout.timeOut();
      page.edge.passMs(60_000);
      return stream.status;
    });
    expect([visitor, user]).toEqual([503, 200]);
    expect(statusOf(page, { path: "/assets/page.css" })).toBe(200);
  });
});

describe("the example of a rollout", () => {
  const TITLE = "a rollout onto traffic without tokens";
  const steps = sectionOf("docs/policy.md", `Worked example: ${TITLE}`).matchAll(/`(enforcement: [^`]+)`/g);
  const [observe, shadow, ...others] = [...steps].map(([, step = ""]) => step);
  const step = (example: Example, enforcement: string | undefined, generation: number): void => {
    publish(example.edge, yamlOf(TITLE).replace(/^enforcement: .*$/m, enforcement ?? ""), generation);
  };
  /** The status of a session that has spent all. */
  const statusOfSpent = (example: Example, planId = 0): number | undefined => {
    const stream = opened(example, { session: example.edge.newSession(planId) }, planId, 0);
    if (stream.state === "upstream") stream.respond();
    return stream.status;
  };

  it("the first step lets pass whatever comes, and counts what would not; a route goes ahead", () => {
    const example = exampleInForce(TITLE);
    expect(observe).toBe("enforcement: observe");
    expect(statusOf(example, {})).toBe(200);
    expect(statusOf(example, { session: "invented" })).toBe(200);
    expect(statusOfSpent(example)).toBe(200);
    expect(outcomes(example.edge)).toEqual({ shadow_missing: 1, shadow_invalid: 1, shadow_limited: 1 });
    expect(statusOf(example, { path: "/v2/orders" })).toBe(401);
  });

  it("the second step needs a session and limits none", () => {
    const example = exampleInForce(TITLE);
    step(example, shadow, 2);
    expect(statusOf(example, {})).toBe(401);
    expect(statusOfSpent(example)).toBe(200);
  });

  it("the third step limits ever more sessions, the fourth all but one plan's", () => {
    const example = exampleInForce(TITLE);
    const sessions = Array.from({ length: 200 }, () => example.edge.newSession());
    for (const session of sessions) opened(example, { session }, 0, 0).abandon();
    let before = new Set<string>();
    for (const [index, enforcement] of others.entries()) {
      step(example, enforcement, index + 2);
      // More than came back since the step before.
      const isDenied = ({ token }: { token: string }): boolean => passes(example, 12, { session: token }) < 12;
      const denied = new Set(sessions.filter(isDenied).map(({ token }) => token));
      expect([...before].filter((token) => !denied.has(token))).toEqual([]);
      const share = [10, 50, 90, 100][index] ?? NaN;
      expect(Math.abs(denied.size / 2 - share)).toBeLessThan(10);
      before = denied;
    }
    expect(others).toHaveLength(4);
    expect(before.size).toBe(200);
    expect(statusOfSpent(example, PARTNER)).toBe(200);
  });
});
