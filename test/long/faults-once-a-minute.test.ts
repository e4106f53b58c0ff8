// A control plane that answers garbage for minutes: Envoy's log says so once a minute, with how often it happened.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { HostilePlane } from "../e2e/harness/hostile-plane.js";
import { useInstallation } from "../e2e/harness/installation.js";
import { policyOf } from "../e2e/harness/policy.js";

const POLICY = policyOf([{ name: "default", maxTokens: 99, tokenRefillRate: 0 }]);
const MALFORMED = /fail: watch: the answer is none of a control plane, or of another version(?: \((\d+) times)?/;
/** Two whole minutes between what is said, and some. */
const WRONG_MS = 130_000;

const sluice = useInstallation({ policy: POLICY, settingsPolicy: POLICY, controlPlane: false });

it("garbage answers for minutes are logged once a minute, and fail no request", async () => {
  const plane = await HostilePlane.listen(sluice().ports.http);
  const said = () =>
    sluice()
      .envoy.log.split("\n")
      .flatMap((line) => {
        const found = MALFORMED.exec(line);
        return found === null ? [] : [Number(found[1] ?? 1)];
      });
  plane.answer = (response) => response.writeHead(200).end("rubbish");
  await until(() => {
    expect(said()).toHaveLength(1);
  });
  const endMs = performance.now() + WRONG_MS;
  while (performance.now() < endMs) {
    const { token } = sluice().mint.mint(Date.now());
    expect((await sluice().send({ token })).status).toBe(200);
    await delay(500);
  }
  const [first, ...later] = said();
  expect(first).toBe(1);
  expect(later).toHaveLength(2);
  for (const times of later) expect(times).toBeGreaterThan(60);
  expect(sluice().envoy.running).toBe(true);
  await plane.close();
});
