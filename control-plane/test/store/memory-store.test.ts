import { describe } from "vitest";

import { edgeStatusContract, sharedStatusContract } from "../contracts/edge-status-contract.js";
import { policyContract } from "../contracts/policy-contract.js";
import { storeContract } from "../contracts/store-contract.js";
import { queuedStore } from "../support/processes-over-one-store.js";
import { withVerbs } from "../support/store-verbs.js";
import { MemoryEdgeStatus } from "../../src/store/memory/edge-status.js";
import { MemoryStatuses } from "../../src/store/memory/shared-edge-status.js";
import { MemoryStore } from "../../src/store/memory/store.js";

describe("the in-memory store of the tests keeps the contract", () => {
  storeContract(() => Promise.resolve(withVerbs(new MemoryStore())));
});

describe("a store with a queue in front of it keeps the contract", () => {
  storeContract(() => Promise.resolve(withVerbs(queuedStore())));
});

describe("the policies of the in-memory store keep the contract", () => {
  policyContract(() => Promise.resolve(new MemoryStore().policies));
});

describe("the in-memory status of edges keeps the contract", () => {
  edgeStatusContract(() => Promise.resolve(new MemoryEdgeStatus()));
});

describe("the in-memory status of edges that processes share keeps the contract", () => {
  edgeStatusContract(() => Promise.resolve(new MemoryStatuses().of("one")));
  sharedStatusContract(() => {
    const statuses = new MemoryStatuses();
    const setBack = (): Promise<void> => {
      statuses.setBack();
      return Promise.resolve();
    };
    return Promise.resolve({ one: statuses.of("one"), other: statuses.of("other"), setBack });
  });
});
