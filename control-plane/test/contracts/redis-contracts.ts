// Every contract of a store's ports, and those of stores that several processes share, on a real Redis or Valkey.
import { randomBytes } from "node:crypto";
import { setTimeout as passed } from "node:timers/promises";
import { auditContract } from "./audit-contract.js";
import { budgetContract, fleetTimeContract } from "./budget-contract.js";
import { claimsContract, sharedClaimsContract } from "./claims-contract.js";
import { edgeStatusContract, sharedStatusContract } from "./edge-status-contract.js";
import { endingContract } from "./ending-contract.js";
import { formerRowsContract } from "./former-rows-contract.js";
import { holdingContract } from "./holding-contract.js";
import { changingLogContract, logContract } from "./log-contract.js";
import type { ChangingLogUnderTest } from "./log-contract.js";
import { operatorContract } from "./operator-contract.js";
import { policyContract } from "./policy-contract.js";
import { revocationContract } from "./revocation-contract.js";
import { storeContract } from "./store-contract.js";
import { storeTimeContract } from "./time-contract.js";
import { usageContract } from "./usage-contract.js";
import { newRedisStore, redisStoreAt, serverAt } from "../support/redis-store.js";
import type { ServerName } from "../../../scripts/test/get-store-servers.js";
import type { ServerUser } from "../support/servers/server-settings.js";
import { useServer } from "../support/servers/use-server.js";

export interface ServerOfContracts {
  /** Whom the stores log in as; left out: one that may do all. */
  readonly user?: ServerUser;
  readonly cluster?: boolean;
}

/** To be called outside of tests. */
export function redisContracts(name: ServerName, at: ServerOfContracts = {}): void {
  const { user } = at;
  const server = useServer(name, at);
  const login = user && { username: user.name, password: user.password };
  const options = () => serverAt(server().port, login);
  const open = () => newRedisStore(options());

  storeContract(open);
  usageContract(open);
  endingContract(open);
  holdingContract(open);
  formerRowsContract(open);
  budgetContract(open);
  fleetTimeContract(async () => {
    const one = await open();
    return { one: one.fleetTime, another: async () => (await redisStoreAt(options())).fleetTime };
  });
  operatorContract(open);
  auditContract(open);
  revocationContract(open);
  policyContract(async () => (await open()).policies);
  const openLog = async () => {
    const store = await open();
    const append = async (...entries: Parameters<ChangingLogUnderTest["append"]>) => {
      const invalidations = entries.map(([kind, sessionId, atMs = 0]) => ({ kind, sessionId, atMs }));
      await store.update("newestSession", { userId: "nobody" }, () => ({ answer: null, changes: { invalidations } }));
      await store.invalidations.told();
    };
    const change = async () => {
      await server().command("HSET", "{sluice}:meta", "log", randomBytes(8).toString("hex"));
      await store.position();
      await store.invalidations.told();
    };
    return { log: store.invalidations, append, change };
  };
  logContract(openLog);
  changingLogContract(openLog);
  claimsContract(async () => (await open()).claims);
  sharedClaimsContract(async () => {
    const mine = await open();
    const others = await redisStoreAt(options());
    // By the server's clock: a timer of this process may be a millisecond early.
    const serverMs = async (): Promise<number> => {
      const [seconds, micros] = (await server().command("TIME")) as [string, string];
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    const pass = async (ms: number): Promise<void> => {
      const until = (await serverMs()) + ms + 1;
      while ((await serverMs()) < until) await passed(1);
    };
    return { mine: mine.claims, others: others.claims, pass };
  });
  edgeStatusContract(async () => (await open()).edgeStatus);
  sharedStatusContract(async () => {
    const one = await open();
    const other = await redisStoreAt(options());
    const setBack = async () => {
      const keys = (await server().command("KEYS", "{sluice}:edges*")) as string[];
      await server().command("DEL", ...keys);
      await server().command("HSET", "{sluice}:meta", "statuses", "0");
    };
    return { one: one.edgeStatus, other: other.edgeStatus, setBack };
  });
  storeTimeContract(async () => {
    const mine = await open();
    const others = await redisStoreAt(options());
    return { one: mine.storeTime, other: others.storeTime, machineMs: () => Date.now(), cutOff: () => mine.close() };
  });
}
