// The process's log: a secret that is logged by mistake is not readable in it.
import { describe, expect, it } from "vitest";

import { createLog } from "../../src/log.js";

/** What a line of these fields is, read back. */
function logged(fields: object): Record<string, unknown> {
  let line = "";
  createLog("info", { write: (text) => void (line = text) }).info(fields, "a line");
  return JSON.parse(line) as Record<string, unknown>;
}

const BLANK = "[Redacted]";

describe("a secret in a line of the log", () => {
  it("a secret is blanked by its name, down to the fourth level, in lists too", () => {
    const fields = {
      token: "s1",
      headers: { authorization: "s2", host: "h" },
      deep: { er: { still: { adminToken: "s3", kept: 1 } } },
      list: [{ edgeCredential: "s4" }, "plain"],
    };
    expect(logged(fields)).toMatchObject({
      token: BLANK,
      headers: { authorization: BLANK, host: "h" },
      deep: { er: { still: { adminToken: BLANK, kept: 1 } } },
      list: [{ edgeCredential: BLANK }, "plain"],
    });
    expect(fields.headers.authorization).toBe("s2");
  });

  it("a secret is blanked on an error, which keeps its message and stack", () => {
    const error = Object.assign(new Error("broken"), { token: "s1", request: { authorization: "s2" } });
    const { err } = logged({ err: error });
    expect(err).toMatchObject({ message: "broken", token: BLANK, request: { authorization: BLANK } });
    expect((err as { stack: string }).stack).toContain("log.test");
    expect(error.token).toBe("s1");
  });

  it("a secret is blanked in any case of its name, and under names of headers and settings", () => {
    const names = ["Authorization", "ADMINTOKEN", "X-Session-Id", "cookie", "Set-Cookie", "secret", "Password"];
    const line = logged(Object.fromEntries(names.map((name) => [name, "s1"])));
    expect(names.map((name) => line[name])).toEqual(names.map(() => BLANK));
  });

  it("a secret is blanked on an error under another name, or deeper", () => {
    const error = Object.assign(new Error("broken"), { token: "s1", request: { authorization: "s2" }, code: "E" });
    const shown = { token: BLANK, request: { authorization: BLANK }, code: "E" };
    expect(logged({ error, a: { err: error } })).toMatchObject({
      error: shown,
      a: { err: shown },
    });
  });

  it("a log line is written also where its error is none", () => {
    expect(logged({ err: null })).toMatchObject({ err: null, msg: "a line" });
    expect(logged({ err: "broken" })).toMatchObject({ err: "broken" });
    expect(logged({ err: { token: "s1" } })).toMatchObject({ err: { token: BLANK } });
  });

  it("everything else in a line stays as it is", () => {
    const at = new Date(0);
    const fields = { event: "t", count: 3, none: null, at, list: [1, 2], of: { tokens: { issued: 1 } } };
    expect(logged(fields)).toMatchObject({ ...fields, at: at.toISOString(), level: "info", msg: "a line" });
  });
});
