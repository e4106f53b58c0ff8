// The command line: the life of a session, against the real API.
import { describe, expect, it } from "vitest";

import type { Session } from "../../src/cli/client/answers.js";
import { jsonLines, sluice } from "../support/cli.js";
import { created, ISSUER_TOKEN, startTestControlPlane } from "../support/control-plane.js";
import type { Created } from "../support/control-plane.js";
import { LIMITED, METERED, STARTER } from "../support/sessions.js";

const UNKNOWN = "019b76da-a800-7000-8000-000000000000";

describe("session create", () => {
  it("session create prints the session and its token", async () => {
    const plane = await startTestControlPlane();
    const ran = await sluice("session create --user ada --org analytical --plan metered --ip 192.0.2.7", plane);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^state +live$/m);
    expect(ran.out).toMatch(/^plan +metered$/m);
    expect(ran.out).toMatch(/^ip +192\.0\.2\.7$/m);
    expect(ran.out).toMatch(/^token +\S{20,}$/m);
  });

  it("session create prints the token alone with --token-only, and both as one JSON document", async () => {
    const plane = await startTestControlPlane();
    const alone = await sluice("session create --user ada --org o1 --token-only --idempotency-key k1", plane);
    const whole = await sluice("session create --user ada --org o1 --json --idempotency-key k1", plane);
    expect(alone.out).toMatch(/^\S+\n$/);
    expect(jsonLines(whole)).toEqual([
      { session: expect.objectContaining({ userId: "ada" }) as unknown, token: alone.out.trim() },
    ]);
  });

  it("session create names the field that the API denies, with exit code 1", async () => {
    const plane = await startTestControlPlane();
    const ran = await sluice("session create --user ada --org o1 --ip nowhere", plane);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^sluice: INVALID_REQUEST: metadata\.ip is wrong: expected an IPv4 or IPv6 address$/m);
    const plan = await sluice("session create --user ada --org o1 --plan none", plane);
    expect(plan.err).toMatch(/^sluice: UNKNOWN_PLAN: plan is unknown: expected one of starter, metered$/m);
    await sluice("session create --user ada --org o1 --idempotency-key k1", plane);
    const other = await sluice("session create --user bob --org o1 --idempotency-key k1", plane);
    expect(other.err).toMatch(/^sluice: IDEMPOTENCY_KEY_REUSED: .* \(field idempotency-key\)$/m);
    const json = await sluice("session create --user ada --org o1 --plan none --json", plane);
    expect(json).toMatchObject({ code: 1, out: "" });
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "UNKNOWN_PLAN", field: "plan" } });
  });
});

describe("session show", () => {
  it("session show prints every field, and never a token", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane, { metadata: { userAgent: "curl" } });
    const ran = await sluice(`session show ${session.id}`, plane);
    expect(ran.code).toBe(0);
    for (const text of [session.id, "live", "u1", "o1", "starter", "2026-01-01T00:00:00Z", "curl"]) {
      expect(ran.out).toContain(text);
    }
    expect(ran.out).not.toContain(token);
    expect(jsonLines(await sluice(`session show ${session.id} --json`, plane))).toEqual([{ session, buckets: [] }]);
  });

  it("session show prints consumption, and its budget only where the plan has one", async () => {
    const plane = await startTestControlPlane();
    const free = await created(plane);
    const metered = await created(plane, { plan: "metered" });
    for (const { session } of [free, metered]) await plane.report([[session.id, 1, 109, 0, 0]]);
    expect((await sluice(`session show ${free.session.id}`, plane)).out).toMatch(/^consumed +109 tokens$/m);
    expect((await sluice(`session show ${metered.session.id}`, plane)).out).toMatch(/^consumed +109 of 5000 tokens$/m);
  });

  it("session show prints what each limit of a live session holds, and when that was reported", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(LIMITED);
    const { session } = await created(plane);
    expect((await sluice(`session show ${session.id}`, plane)).out).toContain("its buckets are full everywhere");
    const limits = { "0a1b2c3d": ["daily", "search"] };
    await plane.report([[session.id, 1, 5, 50_000_000, 0, "0a1b2c3d", [7_000_000, 3_000_000]]], { limits });
    const { out } = await sluice(`session show ${session.id}`, plane);
    for (const level of ["limited +50\\.0 +100", "daily +7\\.0 +10000", "search +3\\.0 +20"]) {
      expect(out).toMatch(new RegExp(`^gw-1 +${level} +[0-9.]+ +2026-01-01T00:00:00Z$`, "m"));
    }
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    expect((await sluice(`session show ${session.id}`, plane)).out).not.toContain("LIMIT");
  });

  it("session show of no session is exit code 1", async () => {
    const plane = await startTestControlPlane();
    const ran = await sluice(`session show ${UNKNOWN}`, plane);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain("SESSION_NOT_FOUND");
  });

  it("an issuer's token revokes what it issued, and gets exit code 4 beyond its scopes", async () => {
    const plane = await startTestControlPlane();
    const env = { SLUICE_ADMIN_TOKEN: ISSUER_TOKEN };
    const at = { url: plane.url, env };
    const { session } = JSON.parse((await sluice("session create --user u --org o --json", at)).out) as Created;
    const shown = await sluice(`session show ${session.id}`, at);
    expect(shown.out).toMatch(/^issued by +issuer$/m);
    const denied = await sluice(`session token ${session.id}`, at);
    expect(denied).toMatchObject({ code: 4, out: "" });
    expect(denied.err).toContain("FORBIDDEN");
    expect(await sluice(`session revoke ${session.id}`, at)).toMatchObject({ code: 0 });
    const { session: other } = await created(plane);
    expect((await sluice(`session show ${other.id}`, at)).err).toContain("SESSION_NOT_FOUND");
  });
});

describe("session list", () => {
  it("session list prints an aligned table, the newest first", async () => {
    const plane = await startTestControlPlane();
    await created(plane, { userId: "a-long-user-id" });
    plane.clock.advance(1000);
    await created(plane, { userId: "bo" });
    const [titles, ...rows] = (await sluice("session list", plane)).out.trimEnd().split("\n");
    expect(titles).toMatch(/^ID +STATE +USER +ORG +ISSUER +PLAN +CONSUMED +ISSUED +LAST ACTIVITY +ENDS$/);
    const at = titles?.indexOf("USER");
    expect(rows.map((row) => row.slice(at).split(" ")[0])).toEqual(["bo", "a-long-user-id"]);
  });

  it("session list filters by user, organisation, issuer, plan and state", async () => {
    const plane = await startTestControlPlane();
    await created(plane, { userId: "ada" });
    await created(plane, { userId: "ada", orgId: "o2", plan: "metered" });
    const gone = await created(plane, { userId: "bob" });
    await plane.call("DELETE", `/v1/sessions/${gone.session.id}`);
    const found = async (filter: string): Promise<string[]> =>
      jsonLines(await sluice(`session list --json ${filter}`, plane))
        .map((one) => `${(one as Session).userId} ${(one as Session).orgId}`)
        .sort();
    expect(await found("--user ada")).toEqual(["ada o1", "ada o2"]);
    expect(await found("--org o2")).toEqual(["ada o2"]);
    expect(await found("--plan metered --state live")).toEqual(["ada o2"]);
    expect(await found("--state revoked")).toEqual(["bob o1"]);
    expect(await found("--user nobody")).toEqual([]);
    expect(await found("--issuer login")).toEqual([]);
    expect(await found(`--issuer ${gone.session.issuer}`)).toHaveLength(3);
  });

  it("session list says that there are more than --limit, and reads all pages with --all", async () => {
    const plane = await startTestControlPlane();
    for (const userId of ["a", "b", "c"]) await created(plane, { userId });
    const some = await sluice("session list --limit 2", plane);
    expect(some.out.trimEnd().split("\n")).toHaveLength(3);
    expect(some.err).toContain("--all");
    const json = await sluice("session list --limit 2 --json", plane);
    expect(jsonLines(json)).toHaveLength(2);
    expect(JSON.parse(json.err)).toEqual({ remark: expect.stringContaining("--all") as unknown });
    const all = await sluice("session list --all", plane);
    expect(all.out.trimEnd().split("\n")).toHaveLength(4);
    expect(all.err).toBe("");
  });

  it("session list with an unknown state, or --all with --limit, is exit code 2", async () => {
    expect(await sluice("session list --state asleep")).toMatchObject({ code: 2 });
    expect(await sluice("session list --all --limit 3")).toMatchObject({ code: 2 });
  });
});

it("session change-plan gives a session another plan", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  const ran = await sluice(`session change-plan ${session.id} --plan metered`, plane);
  expect(ran.code, ran.err).toBe(0);
  expect(ran.out).toMatch(/^plan +metered$/m);
  const back = await sluice(`session change-plan ${session.id} --plan starter --json`, plane);
  expect(jsonLines(back)).toMatchObject([{ session: { id: session.id, plan: STARTER.name } }]);
  expect(await sluice(`session change-plan ${session.id} --plan none`, plane)).toMatchObject({ code: 1 });
});

it("session token gives the token out once more", async () => {
  const plane = await startTestControlPlane();
  const { session, token } = await created(plane);
  expect(await sluice(`session token ${session.id} --token-only`, plane)).toMatchObject({ code: 0, out: `${token}\n` });
  expect((await sluice(`session token ${session.id}`, plane)).out).toContain(token);
  await plane.call("DELETE", `/v1/sessions/${session.id}`);
  const ended = await sluice(`session token ${session.id} --token-only`, plane);
  expect(ended).toMatchObject({ code: 1, out: "" });
  expect(ended.err).toContain("SESSION_ENDED");
});

describe("session consume", () => {
  it("session consume spends from the budget, once for each key", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { plan: METERED.name });
    const line = `session consume ${session.id} 250 --idempotency-key job-17`;
    const ran = await sluice(line, plane);
    expect(ran).toMatchObject({ code: 0, out: "250 of 5000 tokens are consumed, 4750 are left\n" });
    expect(jsonLines(await sluice(`${line} --json`, plane))).toEqual([
      { budget: 5000, consumed: 250, remaining: 4750 },
    ]);
    const over = await sluice(`session consume ${session.id} 4751`, plane);
    expect(over).toMatchObject({ code: 1, out: "" });
    expect(over.err).toContain("TOKEN_BUDGET_EXCEEDED");
  });

  it.each(["0", "-3", "1.5", "many", "9007199254740993"])("session consume of %s is exit code 2", async (count) => {
    const ran = await sluice(["session", "consume", "--", UNKNOWN, count]);
    expect(ran).toMatchObject({ code: 2, out: "" });
  });
});
