import { describe } from "vitest";

import { policyContract } from "../contracts/policy-contract.js";
import { storeContract } from "../contracts/store-contract.js";
import { MemoryStore } from "../../src/store/memory/store.js";

describe("the in-memory store of the tests keeps the contract", () => {
  storeContract(() => Promise.resolve(new MemoryStore()));
});

describe("the policies of the in-memory store keep the contract", () => {
  policyContract(() => Promise.resolve(new MemoryStore().policies));
});
