// Usage in the stores: the contract, for the one on a disk and for the one of the tests.
import { describe } from "vitest";

import { endingContract } from "../contracts/ending-contract.js";
import { formerRowsContract } from "../contracts/former-rows-contract.js";
import { holdingContract } from "../contracts/holding-contract.js";
import { withVerbs } from "../support/store-verbs.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { temporaryStore } from "../support/temporary-store.js";
import { usageContract } from "../contracts/usage-contract.js";

describe("usage in LMDB keeps the contract", () => {
  usageContract(temporaryStore);
  endingContract(temporaryStore);
  holdingContract(temporaryStore);
  formerRowsContract(temporaryStore);
});

describe("usage in the in-memory store of the tests keeps the contract", () => {
  usageContract(() => Promise.resolve(withVerbs(new MemoryStore())));
  endingContract(() => Promise.resolve(withVerbs(new MemoryStore())));
  holdingContract(() => Promise.resolve(withVerbs(new MemoryStore())));
  formerRowsContract(() => Promise.resolve(withVerbs(new MemoryStore())));
});
