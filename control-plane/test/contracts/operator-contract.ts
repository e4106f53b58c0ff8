// What every store must do for operators and login services: creation, plan changes, lists, and what is forgotten.
import { expect, it } from "vitest";

import type { SessionIndex } from "../../src/app/ports/operator-ports.js";
import type { Stores } from "../../src/app/ports/stores.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { Session } from "../../src/domain/session.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import type { WithVerbs } from "../support/store-verbs.js";

type Open = () => Promise<WithVerbs<Stores>>;

const NOW_MS = Date.UTC(2026, 0, 1);
const ALWAYS = () => true;
const refuse = { maxSessions: 2, onMaxSessions: "refuse" } as const;
const removeOldest = { maxSessions: 2, onMaxSessions: "removeOldest" } as const;
const keyed = (requestHash = "hash", keptSinceMs = 0) => ({ key: "key", requestHash, keptSinceMs });
const creation = (more: object = {}) => ({
  ...{ session: sessionAt(NOW_MS), limit: null, repeatable: null, isLive: ALWAYS },
  ...more,
});

/** `open` gives an empty store and sees to its end. */
export function operatorContract(open: Open): void {
  limits(open);
  keys(open);
  planChanges(open);
  lists(open);
  issuers(open);
  details(open);
}

function limits(open: Open): void {
  it("a user at the limit gets no further session where the plan refuses it", async () => {
    const store = await open();
    const issue = () => store.operator.issue(creation({ limit: refuse }));
    expect((await issue()).outcome).toBe("created");
    expect((await issue()).outcome).toBe("created");
    expect((await issue()).outcome).toBe("tooManySessions");
    expect(await store.countLive(STARTER.id, 0)).toBe(2);
  });

  it("the oldest sessions of a user at the limit are revoked for a new one where the plan says so", async () => {
    const store = await open();
    const three = [1, 2, 3].map((at) => sessionAt(NOW_MS + at));
    for (const session of three) await store.create(session);
    const session = sessionAt(NOW_MS + 9);
    const outcome = await store.operator.issue(creation({ session, limit: removeOldest }));
    const [first, second] = three.map((one) => ({ ...one, revokedAt: NOW_MS + 9 }));
    expect(outcome).toEqual({ outcome: "created", session, removed: [first, second] });
    expect(await store.countLive(STARTER.id, 0)).toBe(2);
    expect((await store.position()).cursor).toBe(2);
  });

  it("sessions of other users and plans, ended ones and those that do not count leave room", async () => {
    const store = await open();
    const revoked = sessionAt(NOW_MS);
    const others = [sessionAt(NOW_MS, STARTER, "u2"), sessionAt(NOW_MS, METERED), sessionAt(NOW_MS), revoked];
    for (const session of others) await store.create(session);
    await store.revoke(revoked.id, NOW_MS);
    const limit = { ...refuse, maxSessions: 1 };
    expect((await store.operator.issue(creation({ limit, isLive: () => false }))).outcome).toBe("created");
    expect((await store.operator.issue(creation({ limit: { ...limit, maxSessions: 3 } }))).outcome).toBe("created");
  });

  it("of many creations at once only as many succeed as the user may have", async () => {
    const store = await open();
    const all = await Promise.all(Array.from({ length: 6 }, () => store.operator.issue(creation({ limit: refuse }))));
    expect(all.filter(({ outcome }) => outcome === "created")).toHaveLength(2);
    expect(await store.countLive(STARTER.id, 0)).toBe(2);
  });
}

function keys(open: Open): void {
  it("a creation that is repeated under its key gives the first session again", async () => {
    const store = await open();
    const first = creation({ repeatable: keyed() });
    expect((await store.operator.issue(first)).outcome).toBe("created");
    const again = await store.operator.issue(creation({ repeatable: keyed() }));
    expect(again).toEqual({ outcome: "repeated", session: first.session, planId: STARTER.id });
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("two creations at once under one key make one session", async () => {
    const store = await open();
    const both = [creation({ repeatable: keyed() }), creation({ repeatable: keyed() })];
    const outcomes = await Promise.all(both.map((one) => store.operator.issue(one)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["created", "repeated"]);
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a key that was used for another request is told apart, and an old one counts as new", async () => {
    const store = await open();
    await store.operator.issue(creation({ repeatable: keyed() }));
    expect((await store.operator.issue(creation({ repeatable: keyed("other") }))).outcome).toBe("keyReused");
    const later = creation({ repeatable: keyed("other", NOW_MS + 1), session: sessionAt(NOW_MS + 2) });
    expect((await store.operator.issue(later)).outcome).toBe("created");
  });

  it("a key whose session is not stored any more is gone", async () => {
    const store = await open();
    await store.operator.issue(creation({ repeatable: keyed() }));
    const page = { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 9 };
    await store.usage.removeExpired({ ...page, isExpired: ALWAYS });
    expect((await store.operator.issue(creation({ repeatable: keyed() }))).outcome).toBe("gone");
  });

  it("old keys are forgotten, in steps", async () => {
    const store = await open();
    for (const [at, key] of ["a", "b", "c"].entries()) {
      const session = sessionAt(NOW_MS + at);
      await store.operator.issue(creation({ session, repeatable: { ...keyed(), key } }));
    }
    expect(await store.operator.forgetCreationKeys(NOW_MS + 2, 1)).toBe(1);
    expect(await store.operator.forgetCreationKeys(NOW_MS + 2, 9)).toBe(1);
    expect(await store.operator.forgetCreationKeys(NOW_MS + 2, 9)).toBe(0);
    const outcomeOf = async (key: string) =>
      (await store.operator.issue(creation({ repeatable: { ...keyed(), key } }))).outcome;
    expect([await outcomeOf("b"), await outcomeOf("c")]).toEqual(["created", "repeated"]);
  });
}

const move = (plan: PlanOfPolicy = METERED, isLive: (session: Session) => boolean = ALWAYS) => ({
  ...{ plan, atMs: NOW_MS + 5, actor: "operator:1", isLive },
});

function planChanges(open: Open): void {
  it("a change of plan is written with its entry in both logs", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    expect((await store.operator.changePlan(session.id, move())).outcome).toBe("changed");
    expect((await store.find(session.id))?.plan.id).toBe(METERED.id);
    expect(await store.countLive(STARTER.id, 0)).toBe(0);
    expect(await store.countLive(METERED.id, 0)).toBe(1);
    expect(await store.invalidations.read({ ...(await store.position()), cursor: 0 }, 9)).toMatchObject({
      entries: [{ kind: "refresh", sessionId: session.id, atMs: NOW_MS + 5 }],
    });
    const details = { from: STARTER.name, to: METERED.name, issuer: null };
    expect(await store.audit.auditBefore(undefined, 9)).toEqual([
      { number: 1, at: NOW_MS + 5, actor: "operator:1", action: "plan-changed", sessionId: session.id, details },
    ]);
  });

  it("a change to the plan that the session has, or of one that is over, writes nothing", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    expect((await store.operator.changePlan(session.id, move(STARTER))).outcome).toBe("unchanged");
    expect(
      (
        await store.operator.changePlan(
          session.id,
          move(METERED, () => false),
        )
      ).outcome,
    ).toBe("ended");
    expect((await store.operator.changePlan(sessionAt(NOW_MS).id, move())).outcome).toBe("unknown");
    expect((await store.position()).cursor).toBe(0);
    expect(await store.audit.auditBefore(undefined, 9)).toEqual([]);
  });

  it("a change of plan never exceeds what its user may have in the new plan", async () => {
    const store = await open();
    const two = [sessionAt(NOW_MS), sessionAt(NOW_MS)];
    for (const session of two) await store.create(session);
    const limited = move({ ...METERED, maxSessionsPerUser: 1, onMaxSessions: "removeOldest" });
    const outcomes = await Promise.all(two.map(({ id }) => store.operator.changePlan(id, limited)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["changed", "tooManySessions"]);
    expect(await store.countLive(METERED.id, 0)).toBe(1);
  });
}

function lists(open: Open): void {
  it("sessions are listed by user, organisation, plan and creation, the newest first", async () => {
    const store = await open();
    const mine = sessionAt(NOW_MS, STARTER, "u1", "o1");
    const theirs = sessionAt(NOW_MS + 1, METERED, "u2", "o1");
    const revoked = sessionAt(NOW_MS + 2, METERED, "u2", "o2");
    for (const session of [mine, theirs, revoked]) await store.create(session);
    await store.revoke(revoked.id, NOW_MS + 3);
    const listed = async (index: SessionIndex, before?: string, limit = 9) =>
      (await store.operator.sessionsBefore(index, before, limit)).map(({ id }) => id);
    expect(await listed({ by: "creation" })).toEqual([revoked.id, theirs.id, mine.id]);
    expect(await listed({ by: "creation" }, revoked.id, 1)).toEqual([theirs.id]);
    expect(await listed({ by: "user", userId: "u2" })).toEqual([revoked.id, theirs.id]);
    expect(await listed({ by: "org", orgId: "o1" })).toEqual([theirs.id, mine.id]);
    expect(await listed({ by: "plan", planId: METERED.id })).toEqual([theirs.id]);
  });

  it("a list shows when a session was last acquired", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await store.usage.hold(session.id, { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" }, NOW_MS + 9, ALWAYS);
    const [listed] = await store.operator.sessionsBefore({ by: "creation" }, undefined, 9);
    expect(listed?.lastActivity).toBe(NOW_MS + 9);
  });
}

const issuedBy = (issuer: string, atMs = NOW_MS, userId = "u1", plan = STARTER): Session => ({
  ...sessionAt(atMs, plan, userId),
  issuer,
});

function issuers(open: Open): void {
  it("sessions are listed by issuer, and by issuer and user, ended ones too, the newest first", async () => {
    const store = await open();
    const [one, ended, ofOther] = [1, 2, 3].map((at) => issuedBy("login", NOW_MS + at, at === 3 ? "u2" : "u1"));
    if (one === undefined || ended === undefined || ofOther === undefined) throw new Error("three sessions");
    const others = [issuedBy("app"), issuedBy("login-2"), sessionAt(NOW_MS)];
    for (const session of [one, ended, ofOther, ...others]) await store.create(session);
    await store.revoke(ended.id, NOW_MS + 9);
    const listed = async (issuer: string, userId?: string, before?: string, limit = 9) =>
      (await store.operator.sessionsBefore({ by: "issuer", issuer, userId }, before, limit)).map(({ id }) => id);
    expect(await listed("login")).toEqual([ofOther.id, ended.id, one.id]);
    expect(await listed("login", undefined, ofOther.id, 1)).toEqual([ended.id]);
    expect(await listed("login", "u1")).toEqual([ended.id, one.id]);
    expect(await listed("login", "u1", ended.id)).toEqual([one.id]);
    expect([await listed("log"), await listed("login", "u3"), await listed("")]).toEqual([[], [], []]);
  });

  it("a session has been issued by its issuer, as long as it is stored, and by no other", async () => {
    const store = await open();
    const [own, ofNobody] = [issuedBy("login"), sessionAt(NOW_MS)];
    for (const session of [own, ofNobody]) await store.create(session);
    const asked = (id: string) =>
      Promise.all(["login", "app", ""].map((issuer) => store.operator.hasIssued(issuer, id)));
    expect([await asked(own.id), await asked(ofNobody.id)]).toEqual([
      [true, false, false],
      [false, false, false],
    ]);
    const page = { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 9 };
    await store.usage.removeExpired({ ...page, isExpired: ALWAYS });
    expect(await asked(own.id)).toEqual([false, false, false]);
    expect(
      await store.operator.sessionsBefore({ by: "issuer", issuer: "login", userId: undefined }, undefined, 9),
    ).toEqual([]);
  });

  it("a user's limit counts the sessions of one issuer, and makes room among those alone", async () => {
    const store = await open();
    const theirs = issuedBy("app");
    await store.create(theirs);
    const issue = (session: Session, limit: object) => store.operator.issue(creation({ session, limit }));
    const [first, second] = [issuedBy("login", NOW_MS + 1), issuedBy("login", NOW_MS + 2)];
    const one = { maxSessions: 1 };
    expect((await issue(first, { ...one, onMaxSessions: "refuse" })).outcome).toBe("created");
    expect((await issue(second, { ...one, onMaxSessions: "refuse" })).outcome).toBe("tooManySessions");
    expect(await issue(second, { ...one, onMaxSessions: "removeOldest" })).toMatchObject({
      removed: [{ id: first.id }],
    });
    expect((await store.find(theirs.id))?.revokedAt).toBeNull();
  });

  it("a user's limit counts what operators have issued together with what an earlier version has", async () => {
    const store = await open();
    await store.create(sessionAt(NOW_MS));
    await store.create(issuedBy("operator:11111111", NOW_MS + 1));
    const session = issuedBy("operator:22222222", NOW_MS + 2);
    expect((await store.operator.issue(creation({ session, limit: refuse }))).outcome).toBe("tooManySessions");
  });

  it("a change of plan counts the sessions of the session's own issuer", async () => {
    const store = await open();
    const limited = move({ ...METERED, maxSessionsPerUser: 1 });
    const [theirs, own, another] = [issuedBy("app"), issuedBy("login"), issuedBy("login")];
    for (const session of [theirs, own, another]) await store.create(session);
    const outcomes: string[] = [];
    for (const { id } of [theirs, own, another]) outcomes.push((await store.operator.changePlan(id, limited)).outcome);
    expect(outcomes).toEqual(["changed", "changed", "tooManySessions"]);
  });
}

function details(open: Open): void {
  it("address and user agent of old sessions are forgotten in steps, and nothing else of them", async () => {
    const store = await open();
    const three = [1, 2, 3].map((at) => sessionAt(at));
    const young = sessionAt(NOW_MS);
    for (const session of [...three, young]) await store.create(session);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(2);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(1);
    for (const session of three) {
      const metadata = { ...session.metadata, ip: null, userAgent: null };
      expect(await store.find(session.id)).toEqual({ ...session, metadata });
    }
    expect(await store.find(young.id)).toEqual(young);
  });
}
