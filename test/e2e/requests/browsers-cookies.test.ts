// A page in a real Chromium whose session is in a cookie, and pages that hold a stream open: an event stream by fetch, an
// EventSource, a WebSocket. Each ends with its session.
import { describe, expect, it, type TestContext } from "vitest";
import { LIMITED, MISSING } from "../harness/answers.js";
import { withCors } from "../harness/bootstrap.js";
import type { BrowserPage } from "../harness/browser.js";
import { useInstallation } from "../harness/installation.js";
import { BROWSERS_POLICY, call, usePages } from "../harness/pages.js";
import { StreamingUpstream } from "../harness/streaming-upstream.js";

const { open, origin } = await usePages();

/** What of a browser's page the tasks below use. */
interface Page {
  readonly document: { readonly cookie: string };
  readonly EventSource: new (url: string, options: { withCredentials: boolean }) => Source & { readyState: number };
  readonly WebSocket: new (url: string) => Source;
  /** Kept between two tasks: how the source ended. */
  readonly ended: Promise<string>;
}

interface Source {
  onmessage: (event: { data: string }) => void;
  onerror: () => void;
  onclose: (event: { code: number }) => void;
}

describe("a page that streams", () => {
  const sluice = useInstallation({
    policy: BROWSERS_POLICY,
    upstream: (port: number) => new StreamingUpstream().listen(port),
    bootstrap: (yaml) => withCors(yaml, origin, { allow_credentials: true }),
  });
  const url = (path: string) => `http://127.0.0.1:${sluice().ports.proxy}${path}`;

  it("a page reads an event stream by fetch, which ends when its session is revoked", async (context) => {
    const browser = open(context);
    const { id, token } = await sluice().api.issue();
    const request = { url: url("/events"), token };
    const first = await browser.run(async ({ url, token }) => {
      const { body } = await fetch(url, { headers: { "x-session-id": token } });
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      const { value } = await reader.read();
      const drained = async (): Promise<string> => {
        for (;;) if ((await reader.read()).done) return "complete";
      };
      Object.assign(globalThis, { end: drained().catch((error: unknown) => String(error)) });
      return new TextDecoder().decode(value);
    }, request);
    expect(first).toBe("data: on\n\n");
    await sluice().api.revoke(id);
    const end = await browser.run(() => (globalThis as unknown as { end: Promise<string> }).end, null);
    expect(end).toBe("TypeError: network error");
  });

  it("a page may have its cookies sent where allow_credentials is set", async (context) => {
    const { token } = await sluice().api.issue();
    const answer = await call(open(context), { url: url("/slow?0"), token, credentials: "include" });
    expect(answer).toMatchObject({ status: 200, body: "at last\n" });
  });
});

describe("a page whose session is in a cookie", () => {
  const sluice = useInstallation({
    policy: { ...BROWSERS_POLICY, token: { from: [{ header: "x-session-id" }, { cookie: "session" }] } },
    upstream: (port: number) => new StreamingUpstream().listen(port),
    bootstrap: (yaml) => withCors(yaml, origin, { allow_credentials: true }),
  });
  const url = (path: string, scheme = "http") => `${scheme}://127.0.0.1:${sluice().ports.proxy}${path}`;

  /** The page, logged in: its cookie names a new session. */
  async function logIn(context: TestContext, plan?: string): Promise<{ browser: BrowserPage; id: string }> {
    const browser = open(context);
    const { id, token } = await sluice().api.issue(plan);
    await browser.setCookie("session", token);
    return { browser, id };
  }

  it("a page reads 429 and when to come back, with a cookie that its script cannot see", async (context) => {
    const { browser } = await logIn(context, "single");
    expect(await browser.run(() => Promise.resolve((globalThis as unknown as Page).document.cookie), null)).toBe("");
    const request = { url: url("/slow?0"), credentials: "include" } as const;
    expect(await call(browser, request)).toMatchObject({ status: 200, body: "at last\n" });
    const { status, headers, body } = await call(browser, request);
    expect({ status, body }).toEqual({ status: 429, body: LIMITED });
    expect(headers["retry-after"]).toMatch(/^(1000|9\d\d)$/);
    expect(await call(browser, { url: url("/slow?0") })).toMatchObject({ status: 401, body: MISSING });
  });

  it("an EventSource reads on by its cookie, and is refused once its session is revoked", async (context) => {
    const { browser, id } = await logIn(context);
    const first = await browser.run(async (url) => {
      const source = new (globalThis as unknown as Page).EventSource(url, { withCredentials: true });
      const ended = new Promise<string>((resolve) => {
        // It connects anew by itself, unless it gets an answer other than 200.
        source.onerror = () => {
          if (source.readyState === 2) resolve("closed");
        };
      });
      Object.assign(globalThis, { ended });
      return await new Promise<string>((resolve) => {
        source.onmessage = ({ data }) => {
          resolve(data);
        };
      });
    }, url("/events"));
    expect(first).toBe("on");
    await sluice().api.revoke(id);
    expect(await browser.run(() => (globalThis as unknown as Page).ended, null)).toBe("closed");
  });

  it("a WebSocket opens by its cookie, and closes once its session is revoked", async (context) => {
    const { browser, id } = await logIn(context);
    const first = await browser.run(
      async (url) => {
        const socket = new (globalThis as unknown as Page).WebSocket(url);
        const ended = new Promise<string>((resolve) => {
          socket.onclose = ({ code }) => {
            resolve(`closed, ${code}`);
          };
        });
        Object.assign(globalThis, { ended });
        return await new Promise<string>((resolve) => {
          socket.onmessage = ({ data }) => {
            resolve(data);
          };
        });
      },
      url("/", "ws"),
    );
    expect(first).toBe("on");
    await sluice().api.revoke(id);
    // 1006: without a word of goodbye (RFC 6455, 7.4.1).
    expect(await browser.run(() => (globalThis as unknown as Page).ended, null)).toBe("closed, 1006");
  });
});
