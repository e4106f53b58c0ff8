// Every port of the store in Redis and Valkey keeps the contract of the port, on a real server.
import { describe } from "vitest";

import { STORE_USER_RULES } from "../../../../scripts/store-server.js";
import { redisContracts } from "../../contracts/redis-contracts.js";

describe("a store in Redis 7 keeps the contract", () => {
  redisContracts("Redis 7");
});

describe("a store in Valkey 9 keeps the contract for a user that may do what docs/stores.md says", () => {
  redisContracts("Valkey 9", { user: { name: "sluice", password: "of-the-store", rules: STORE_USER_RULES } });
});
