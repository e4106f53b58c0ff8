// Every port of the store in Redis and Valkey keeps the contract of the port, on a real server.
import { describe } from "vitest";

import { redisContracts } from "../../contracts/redis-contracts.js";

describe.each(["Redis 7", "Valkey 9"] as const)("a store in %s keeps the contract", redisContracts);
