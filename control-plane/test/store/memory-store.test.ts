import { describe } from "vitest";

import { storeContract } from "../contracts/store-contract.js";
import { withVerbs } from "../support/store-verbs.js";
import { MemoryStore } from "../../src/store/memory/store.js";

describe("the in-memory store of the tests keeps the contract", () => {
  storeContract(() => Promise.resolve(withVerbs(new MemoryStore())));
});
