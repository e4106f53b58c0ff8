// acquire and report where the store's log becomes another one, and the newest writes are lost with the former one: at each
// moment before, between and after the steps that a call takes in the store.
import { describe, expect, it } from "vitest";

import { acquireSessions } from "../../../src/app/edges/acquire-session.js";
import { reportUsage } from "../../../src/app/edges/report-usage.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { INSTANCE } from "../../support/control-plane.js";
import { StoreInSteps } from "../../support/store-in-steps.js";

const ASKER = { edge: "gw-1", instance: INSTANCE };

describe("an acquire while the store's log becomes another one", () => {
  it("the answers of one call are all of one log, at whichever moment that changes", async () => {
    const { store, ports } = await StoreInSteps.open();
    let ofFormer = 0;
    await store.atEachMoment(
      (ids) => store.failOver(ids),
      async (ids) => (await acquireSessions(ports, ids, ASKER)) ?? [],
      async (answers, ids, moment) => {
        const [log = ""] = answers.map((answer) => answer.log);
        expect(answers, `changed at ${moment}`).toMatchObject(ids.map(() => ({ state: "live", log })));
        if (log !== store.head().log) ofFormer++;
        // An edge that follows this log goes by this answer: so the store knows that it holds the sessions.
        else for (const id of ids) expect(await store.rowsOf(id), `changed at ${moment}`).toMatchObject([ASKER]);
      },
    );
    expect([store.moments >= 11, ofFormer > 0 && ofFormer < store.moments]).toEqual([true, true]);
  });

  it("the answers are all of one log also where some had to be looked up again", async () => {
    const { store, ports } = await StoreInSteps.open();
    await store.atEachMoment(
      (ids) => store.failOver(ids),
      async (ids) => (await acquireSessions(ports, ids, ASKER)) ?? [],
      (answers, _ids, moment) => {
        const [log] = answers.map((answer) => answer.log);
        expect(answers, `changed at ${moment}`).toMatchObject([{ log }, { log }, { log }]);
        return Promise.resolve();
      },
      // Right after the holds, so that all are of before it.
      (moment, [first = ""]) => (moment === 9 ? store.revoke(first) : Promise.resolve()),
    );
    expect(store.moments).toBeGreaterThan(11);
  });

  it("a session that is revoked in the new log is not answered as live past its revocation", async () => {
    const { store, ports } = await StoreInSteps.open();
    const states = new Set<string>();
    await store.atEachMoment(
      async (ids) => {
        await store.failOver(ids);
        await store.revoke(ids[2] ?? "");
      },
      async (ids) => (await acquireSessions(ports, ids, ASKER))?.[2],
      (answer, _ids, moment) => {
        const { log, cursor } = store.head();
        // Of the former log, or of before the revocation: an edge that follows the new one takes neither.
        const isCovered = answer?.log === log && answer.cursor >= cursor;
        if (isCovered && moment >= 0) expect(answer.state, `changed at ${moment}`).toBe("revoked");
        states.add(answer?.state ?? "");
        return Promise.resolve();
      },
    );
    expect(states).toEqual(new Set(["live", "revoked"]));
  });

  it("an acquire is answered with 503 where log after log becomes another one", async () => {
    const { store, ports } = await StoreInSteps.open();
    store.always(() => store.failOver([]));
    await expect(acquireSessions(ports, ["a"], ASKER)).rejects.toThrow(StoreUnwritable);
  });
});

describe("a report while the store's log becomes another one", () => {
  it("rows that were lost with the former log are not acknowledged in the new one", async () => {
    const { store, ports } = await StoreInSteps.open();
    const figures = { rev: 3, consumed: 2, levelMicro: 0 };
    let ofFormer = 0;
    await store.atEachMoment(
      (ids) => store.failOver(ids),
      (ids) => {
        const rows = ids.map((sessionId) => ({ ...figures, sessionId, idleMs: 0 }));
        return reportUsage(ports, { ...ASKER, worker: "", rows, malformed: [], more: false });
      },
      async (answer, ids, moment) => {
        expect(answer?.refresh).toEqual([]);
        if (answer?.log !== store.head().log) ofFormer++;
        else for (const id of ids) expect(await store.rowsOf(id), `changed at ${moment}`).toMatchObject([{ figures }]);
      },
    );
    expect([store.moments >= 5, ofFormer > 0 && ofFormer < store.moments]).toEqual([true, true]);
  });
});
