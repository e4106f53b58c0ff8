// Fleet budgets and the fleet clock in the stores: the contracts, and what is left of them in a folder.
import { describe, expect, it } from "vitest";

import { MemoryStore } from "../../src/store/memory/store.js";
import { budgetContract, fleetTimeContract } from "../contracts/budget-contract.js";
import { SPENT, raisedTo } from "../support/fleet-budgets.js";
import { temporaryFolder } from "../support/process.js";
import { queuedStore } from "../support/processes-over-one-store.js";
import { sessionAt } from "../support/sessions.js";
import { NOW_MS } from "../support/store-with-usage.js";
import { withVerbs } from "../support/store-verbs.js";
import { openStore, temporaryStore } from "../support/temporary-store.js";

describe("fleet budgets in LMDB keep the contract", () => {
  budgetContract(temporaryStore);
});

describe("fleet budgets in the in-memory store of the tests keep the contract", () => {
  budgetContract(() => Promise.resolve(withVerbs(new MemoryStore())));
});

describe("fleet budgets behind a queue keep the contract", () => {
  budgetContract(() => Promise.resolve(withVerbs(queuedStore())));
});

describe("the fleet clock in LMDB keeps the contract", () => {
  fleetTimeContract(async () => {
    const { fleetTime } = await temporaryStore();
    return { one: fleetTime, another: () => Promise.resolve(fleetTime) };
  });
});

describe("the fleet clock in the in-memory store of the tests keeps the contract", () => {
  fleetTimeContract(() => {
    const store = new MemoryStore();
    return Promise.resolve({ one: store.fleetTime, another: () => Promise.resolve(store.seenBy("b").fleetTime) });
  });
});

describe("fleet budgets in a folder", () => {
  it("fleet budgets and the fleet clock survive a restart", async () => {
    const path = temporaryFolder();
    const before = await openStore(path);
    const session = sessionAt(NOW_MS);
    await before.create(session);
    const budgets = [{ sessionId: session.id, budget: SPENT }];
    await before.update("leases", [session.id], () => ({ answer: 0, changes: { budgets } }));
    await raisedTo(before, 77);
    await before.close();
    const after = await openStore(path);
    expect((await after.usage.look(session.id)).found?.budget).toEqual(SPENT);
    // It is the same life: nothing that was acknowledged is lost.
    expect((await after.usage.look(session.id)).life).toStrictEqual({ beganMs: 0, newestId: "", fleetMs: 77 });
    await after.close();
  });
});
