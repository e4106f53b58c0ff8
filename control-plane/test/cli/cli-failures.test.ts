// The command line: what it says and which exit code it gives where something is in the way.
import type { RequestListener } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { describe, expect, it } from "vitest";

import { CODE_INVALID_SESSION, CODE_LIMITER_UNAVAILABLE, CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { sluice } from "../support/cli.js";
import { ADMIN_TOKEN, created, startTestControlPlane } from "../support/control-plane.js";
import { answer, answering, listening } from "../support/scripted-server.js";

const CREATE = "session create --user u --org o";

const failing = (status: number, code: string, headers?: Record<string, string>): RequestListener =>
  answer(status, { error: { code, message: "said so" } }, headers);
const NO_SESSIONS = answer(200, { sessions: [], cursor: null });

describe("a control plane that cannot be reached", () => {
  it("a port where nobody listens is exit code 3", async () => {
    const ran = await sluice("edges", { url: "http://127.0.0.1:1" });
    expect(ran).toMatchObject({ code: 3, out: "" });
    expect(ran.err).toMatch(/^sluice: UNREACHABLE: no answer from http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(ran.err).toContain("npm start");
  });

  it("an answer that does not come in time is exit code 3", async () => {
    const { url } = await answering(() => undefined);
    const ran = await sluice("edges --json --timeout 1", { url });
    expect(ran).toMatchObject({ code: 3, out: "" });
    expect(JSON.parse(ran.err)).toMatchObject({
      error: { code: "UNREACHABLE", message: expect.stringContaining("nothing within 1 s") as unknown },
    });
  });

  it("a connection that ends in the middle is exit code 3, and a change may have been made", async () => {
    const hangUp = createSocketServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.destroy());
    });
    const ran = await sluice(CREATE, { url: await listening(hangUp) });
    expect(ran).toMatchObject({ code: 3, out: "", slept: [] });
    expect(ran.err).toContain("It may have been carried out all the same: look before you repeat it");
  });
});

describe("calls that may be repeated", () => {
  it("a GET is sent again, and Retry-After is waited for", async () => {
    const { url } = await answering(
      failing(503, "NOT_READY"),
      failing(429, "SLOW", { "retry-after": "3" }),
      NO_SESSIONS,
    );
    expect(await sluice("session list", { url })).toMatchObject({ code: 0, slept: [250, 3000] });
  });

  it("a third failed attempt ends with exit code 5", async () => {
    const { url, requests } = await answering(failing(503, "NO_POLICY"));
    const ran = await sluice("session list", { url });
    expect(ran).toMatchObject({ code: 5, out: "" });
    expect(ran.err).toContain("NO_POLICY: said so");
    expect(requests()).toBe(3);
  });

  it("a Retry-After that is too long is printed instead of waited for", async () => {
    const { url } = await answering(failing(429, "TOO_MANY_REQUESTS", { "retry-after": "60" }));
    const ran = await sluice("session list", { url });
    expect(ran).toMatchObject({ code: 5, slept: [] });
    expect(ran.err).toContain("Wait 60 s");
  });

  it.each([CREATE, "session revoke 1", "session change-plan 1 --plan p", "session consume 1 5"])(
    "a change is never sent again: %s",
    async (line) => {
      const { url, requests } = await answering(failing(503, "NOT_READY"));
      expect(await sluice(line, { url })).toMatchObject({ code: 5, slept: [] });
      expect(requests()).toBe(1);
    },
  );
});

it.each([
  ["another service", answer(200, { hello: "world" })],
  ["another service's errors", answer(404, { detail: "Not Found" })],
  ["a page", answer(200, "<html>")],
  ["a redirect", answer(302, "", { location: "http://127.0.0.1:1/" })],
])("%s instead of the API is exit code 5", async (_what, listener) => {
  const { url } = await answering(listener);
  const ran = await sluice("edges", { url });
  expect(ran).toMatchObject({ code: 5, out: "" });
  expect(ran.err).toContain("not as Sluice's API does");
  expect(ran.err).toContain("SLUICE_URL");
});

describe("an address of Sluice that is not the API's", () => {
  it.each(["edges", CREATE, "session revoke 1"])("a call of the status listener is told so: %s", async (line) => {
    const { statusUrl } = await startTestControlPlane();
    const ran = await sluice(line, { url: statusUrl });
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain("ROUTE_NOT_FOUND: This is the status listener; the API and edges have another");
    expect(ran.err).toContain("SLUICE_URL");
  });

  it.each([
    ["without a session's token", 401, CODE_MISSING_SESSION],
    ["with no good one", 401, CODE_INVALID_SESSION],
    ["while it has no policy", 503, CODE_LIMITER_UNAVAILABLE],
  ])("an Envoy is told from the API: it denies a call %s", async (_what, status, code) => {
    for (const body of [{ error: { code, message: "no" } }, { type: "about:blank", status, code }]) {
      const { url } = await answering(answer(status, body));
      const ran = await sluice("edges", { url });
      expect(ran).toMatchObject({ code: 5, out: "" });
      expect(ran.err).toContain(
        `${url} is an Envoy with the filter, not the control plane's API\nIs SLUICE_URL right?`,
      );
    }
  });
});

describe("tokens", () => {
  it("a wrong token is exit code 4, and never shown", async () => {
    const { url } = await startTestControlPlane();
    const ran = await sluice("edges", { url, env: { SLUICE_ADMIN_TOKEN: "a-wrong-token-of-someone" } });
    expect(ran).toMatchObject({ code: 4, out: "" });
    expect(ran.err).toContain("UNAUTHORIZED");
    expect(ran.err).not.toContain("a-wrong-token-of-someone");
  });

  it("--token-file wins over SLUICE_ADMIN_TOKEN", async () => {
    const { url } = await startTestControlPlane();
    const env = { SLUICE_ADMIN_TOKEN: "a-wrong-token-of-someone" };
    const files = { "a.token": `${ADMIN_TOKEN}\n` };
    expect(await sluice("--token-file a.token edges", { url, env, files })).toMatchObject({ code: 0 });
  });

  it("the first of several tokens in SLUICE_ADMIN_TOKEN is sent", async () => {
    const { url } = await startTestControlPlane();
    const env = { SLUICE_ADMIN_TOKEN: `${ADMIN_TOKEN}, a-former-token-of-someone` };
    expect(await sluice("edges", { url, env })).toMatchObject({ code: 0 });
  });

  it.each([
    ["none is set", "edges", { SLUICE_ADMIN_TOKEN: "" }, "SLUICE_ADMIN_TOKEN is not set"],
    ["its file is not there", "edges --token-file none", {}, "--token-file: none cannot be read: ENOENT"],
    ["it holds what no header carries", "edges", { SLUICE_ADMIN_TOKEN: "two words" }, "visible ASCII"],
    ["it is on the command line", "edges --token s3cret-s3cret", {}, "seen by everyone"],
    ["it is before the command", "--token s3cret-s3cret edges", {}, "there is no option --token: "],
    ["it is under another option", "edges --admin-token=s3cret-s3cret", {}, "seen by everyone"],
  ])("a token that cannot be used is exit code 2, and nothing is sent: %s", async (_what, line, env, said) => {
    const ran = await sluice(line, { env });
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toContain(said);
    expect(ran.err).not.toMatch(/s3cret|two words/);
  });
});

it.each(["ftp://x", "127.0.0.1:8080", "http://user:s3cret@x", "http://x/?token=s3cret"])(
  "SLUICE_URL %s is exit code 2, and not repeated",
  async (url) => {
    const ran = await sluice("edges", { url });
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toContain("SLUICE_URL: expected a URL");
    expect(ran.err).not.toContain("s3cret");
  },
);

it("a path of SLUICE_URL comes before the API's", async () => {
  const { url } = await answering((request, response) => {
    answer(200, { edges: [{ edge: request.url, instances: [], refused: null }] })(request, response);
  });
  const ran = await sluice("edges --json", { url: `${url}/sluice/` });
  expect(JSON.parse(ran.out)).toMatchObject({ edge: "/sluice/v1/edges" });
});

describe("what a server says does not drive the terminal", () => {
  const EVIL = "\u001b]0;owned\u0007\u202eevil\u009b2J\n";

  it("control characters of a server's answer are escaped in tables, fields and errors", async () => {
    const { url } = await answering(answer(404, { error: { code: "X", message: EVIL, field: EVIL } }));
    const failing = await sluice("session show 1", { url });
    expect(failing.err).toContain("\\u{1b}]0;owned\\u{7}\\u{202e}evil\\u{9b}2J\\u{a}");
    const said = { running: { [EVIL]: 1 }, violations: [], instances: [], silentWorkers: 0, lastReportAt: null };
    const rejected = { ...said, edge: EVIL, state: "rejected", violations: [{ path: EVIL, message: EVIL }] };
    const caller = { claimedEdge: EVIL, address: EVIL, calls: 1, lastAt: 0 };
    const edges = [{ ...said, edge: EVIL, state: EVIL }, rejected];
    const listing = await answering(answer(200, { edges, unauthenticated: [caller] }));
    const shown = await sluice("edges", { url: listing.url });
    for (const text of [failing.err, shown.out]) expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    // Titles and two edges; a blank line, who rejected, and why; a blank line, who is denied, titles, and the caller.
    expect(shown.out.trimEnd().split("\n")).toHaveLength(10);
  });

  it("control characters of a server's answer stay the same value in JSON", async () => {
    const { url } = await answering(answer(200, { edges: [{ edge: EVIL }] }));
    const { out } = await sluice("edges --json", { url });
    expect(out.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(out)).toEqual({ edge: EVIL });
  });
});

describe("colours", () => {
  const terminal = { columns: 80, rows: 24 };

  it.each([
    ["on a terminal", { terminal }, true],
    ["not on a terminal with NO_COLOR", { terminal, env: { NO_COLOR: "1" } }, false],
    ["not on a dumb terminal", { terminal, env: { TERM: "dumb" } }, false],
    ["not in a pipe", {}, false],
  ])("the output has colours only on a terminal that wants them: %s", async (_where, world, coloured) => {
    const plane = await startTestControlPlane();
    await created(plane);
    const { out } = await sluice("session list", { url: plane.url, ...world });
    expect(out.includes("\u001b[32mlive\u001b[0m")).toBe(coloured);
    expect(out.includes("\u001b")).toBe(coloured);
  });
});

it("a misspelt variable ends the command with 2, before anything is sent", async () => {
  const env = { SLUICE_ADMIN_TOKEN: "any-token-at-all", SLUICE_URLS: "http://127.0.0.1:1" };
  expect(await sluice("session list", { env })).toMatchObject({
    code: 2,
    err: "sluice: SLUICE_URLS: there is no such setting; did you mean SLUICE_URL?\n",
  });
});
