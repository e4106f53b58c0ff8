// The store's contracts on a Valkey 8, and what it keeps; those of Redis 7 and Valkey 9 are among the quick tests.
import { describe } from "vitest";

import { redisContracts } from "../../control-plane/test/contracts/redis-contracts.js";
import { defaultUserOff } from "../../control-plane/test/support/default-user-off.js";

describe("a store in Valkey 8 keeps the contract", () => {
  redisContracts("Valkey 8");
});

describe("a Valkey 8 whose user default may do nothing", () => {
  defaultUserOff("Valkey 8", false);
});
