// Parameters of queries: text on the wire, and read strictly.
import { expect, it } from "vitest";

import { expectError, startTestControlPlane } from "../support/control-plane.js";

const USER = { userId: "u1", orgId: "o1" };
const LISTS = ["/v1/sessions", "/v1/edges", "/v1/audit"];

it.each(["10abc", "1e1", "%2B1", "-1", "0", "", "%201", "1.0", "0x10", "010", "1001", "1".repeat(400), "true", "[1]"])(
  "?limit=%s of a list is 400, and the message says what it may be",
  async (limit) => {
    const plane = await startTestControlPlane();
    for (const path of LISTS) {
      const said = expectError(await plane.call("GET", `${path}?limit=${limit}`), "INVALID_REQUEST", "limit");
      expect(said).toBe("limit is wrong: expected an integer from 1 to 1000: how many at the most");
    }
  },
);

it("?limit=1 and ?limit=1000 of a list are taken", async () => {
  const plane = await startTestControlPlane();
  for (const path of LISTS) {
    for (const limit of [1, 1000]) expect((await plane.call("GET", `${path}?limit=${limit}`)).status).toBe(200);
  }
});

it.each([
  ["GET", "/v1/sessions?limit=1&limit=1", "limit"],
  ["GET", "/v1/sessions?userId=u1&userId=u2", "userId"],
  ["DELETE", "/v1/sessions?userId=u1&userId=u1", "userId"],
  ["GET", "/v1/audit?more=1&more=2", "more"],
])("%s %s is 400, because a parameter stands there twice", async (method, path, name) => {
  const plane = await startTestControlPlane();
  const said = expectError(await plane.call(method, path), "INVALID_REQUEST", name);
  expect(said).toBe(`${name} is repeated: expected once`);
});

it("a parameter that is named as what every object has is unknown, not read", async () => {
  const plane = await startTestControlPlane();
  for (const name of ["constructor", "__proto__", "toString"]) {
    expectError(await plane.call("GET", `/v1/sessions?${name}=1`), "INVALID_REQUEST", name);
  }
});

it.each([
  ["GET", "/v1/policy/status?limit=1", "limit"],
  ["GET", "/v1/status?verbose", "verbose"],
  ["POST", "/v1/sessions?wait=1s", "wait"],
])("%s %s is 400, because the route takes no parameter", async (method, path, name) => {
  const plane = await startTestControlPlane();
  const said = expectError(
    await plane.call(method, path, method === "POST" ? USER : undefined),
    "INVALID_REQUEST",
    name,
  );
  expect(said).toBe(`${name} is unknown: expected no parameter in the query`);
});
