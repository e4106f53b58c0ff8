// The store's contracts on Valkey 8 and 9, and what they keep; those of Redis 7 are among the quick tests.
import { describe } from "vitest";

import { redisContracts } from "../../control-plane/test/contracts/redis-contracts.js";
import { defaultUserOff } from "../../control-plane/test/support/default-user-off.js";
import { STORE_USER_RULES } from "../../scripts/store-server.js";

describe("a store in Valkey 8 keeps the contract", () => {
  redisContracts("Valkey 8");
});

describe("a store in Valkey 9 keeps the contract for a user that may do what docs/stores.md says", () => {
  redisContracts("Valkey 9", { user: { name: "sluice", password: "of-the-store", rules: STORE_USER_RULES } });
});

describe("a Valkey 8 whose user default may do nothing", () => {
  defaultUserOff("Valkey 8", false);
});
