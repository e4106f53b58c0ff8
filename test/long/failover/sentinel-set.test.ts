// Sentinels that tests run: who is the primary, and what becomes of it when it is gone.
import { describe, expect, it, onTestFinished } from "vitest";

import { SERVER_NAMES, type ServerProgram } from "../../../scripts/test/get-store-servers.js";
import { SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import { useProgram } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";

async function started(program: ServerProgram): Promise<SentinelSet> {
  const set = await SentinelSet.start(program);
  onTestFinished(() => set.remove());
  return set;
}

describe.each(SERVER_NAMES)("%s", (name) => {
  const program = useProgram(name);

  it("a killed primary gives way to its replica, which has what both had, and follows it later", async () => {
    const set = await started(program());
    const before = await set.primary();
    expect(set.members.indexOf(before)).toBe(0);
    expect(await before.server.commands(["SET", "a", "1"], ["WAIT", "1", "5000"])).toEqual(["OK", 1]);
    await before.server.kill();
    const after = await set.failedOver(before);
    expect(set.members.indexOf(after)).toBe(1);
    expect(await after.server.command("GET", "a")).toBe("1");
    await before.server.restart();
    await set.complete();
    expect(set.members.indexOf(await set.replica())).toBe(0);
  });
});

describe("sentinels that do not reach a primary", () => {
  const program = useProgram("Valkey 9");

  it("a primary that nobody reaches gives way, and its last writes are lost once it is back", async () => {
    const set = await started(program());
    const before = await set.primary();
    before.proxy.partition();
    await before.server.command("SET", "a", "lost");
    const after = await set.failedOver(before);
    await after.server.command("SET", "a", "kept");
    before.proxy.resume();
    await set.complete();
    await until(async () => {
      expect(await before.server.command("GET", "a")).toBe("kept");
    });
  });
});
