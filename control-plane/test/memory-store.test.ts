import { describe } from "vitest";

import { storeContract } from "./store-contract.js";
import { MemoryStore } from "./support/memory-store.js";

describe("the in-memory store of the tests keeps the contract", () => {
  storeContract(() => Promise.resolve(new MemoryStore()));
});
