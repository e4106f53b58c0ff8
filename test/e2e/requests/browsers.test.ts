// A page in a real Chromium calls an API of another origin through an Envoy with the entries of envoy/browsers.yaml: what the
// page can read of each answer, and what it cannot do at all.
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import { findChromium } from "../../../scripts/test/get-chromium.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { INVALID, LIMITED, MISSING, UNAVAILABLE } from "../harness/answers.js";
import { prepend, ROUTES, withCors, withFirstFiltersSwapped, changed } from "../harness/bootstrap.js";
import { BrowserPage } from "../harness/browser.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { StreamingUpstream } from "../harness/streaming-upstream.js";
import { UPSTREAM_BODY } from "../harness/upstream.js";

const found = await findChromium();
let page: BrowserPage | undefined;
let elsewhere: BrowserPage | undefined;
if ("chromium" in found) {
  page = await BrowserPage.open(found.chromium);
  elsewhere = await BrowserPage.open(found.chromium, "localhost");
}
const origin = page?.origin ?? "http://127.0.0.1:1";
afterAll(async () => {
  await page?.close();
  await elsewhere?.close();
});

/** The page, or the end of a test on a machine that can have no browser. */
function open(context: TestContext, which = page): BrowserPage {
  if ("reason" in found) return notRun(context, found.reason);
  if (which === undefined) throw new Error("there is no page");
  return which;
}

interface Call {
  readonly url: string;
  readonly token?: string;
  readonly credentials?: "include";
}

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

/** A request of the page, and all that it can read of the answer. */
const call = (from: BrowserPage, request: Call) =>
  from.run(async ({ url, token, credentials }: Call) => {
    const answer = await fetch(url, {
      credentials: credentials ?? "omit",
      headers: token === undefined ? {} : { "x-session-id": token },
    });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  }, request);

const policy = policyOf(
  [
    { name: "default", maxTokens: 100, tokenRefillRate: 0 },
    // Nothing comes back while a test runs, and yet there is a time to name: a token takes 1000 s.
    { name: "single", maxTokens: 1, tokenRefillRate: 0.001 },
  ],
  { onUnreachable: "deny" },
);

describe("a page of another origin", () => {
  const sluice = useInstallation({ policy, bootstrap: (yaml) => withCors(yaml, origin) });
  const url = (path = "/") => `http://127.0.0.1:${sluice().ports.proxy}${path}`;

  it("a page gets its answer with the limit fields, and each request costs one token", async (context) => {
    const { token } = await sluice().api.issue();
    const reached = sluice().upstream.received.length;
    const answer = await call(open(context), { url: url(), token });
    expect(answer).toEqual({
      status: 200,
      headers: { "content-type": "text/plain", "ratelimit-policy": '"default";q=100', ratelimit: '"default";r=99' },
      body: UPSTREAM_BODY,
    });
    expect((await call(open(context), { url: url("/other"), token })).headers.ratelimit).toBe('"default";r=98');
    expect(
      sluice()
        .upstream.received.slice(reached)
        .map(({ method }) => method),
    ).toEqual(["GET", "GET"]);
  });

  it("a page reads why it was denied: 401 without a token, and with one that is none", async (context) => {
    const missing = await call(open(context), { url: url() });
    expect(missing).toMatchObject({ status: 401, body: MISSING, headers: { "content-type": "application/json" } });
    expect(await call(open(context), { url: url(), token: "invented" })).toMatchObject({ status: 401, body: INVALID });
  });

  it("a page above its limit reads 429 and when to come back", async (context) => {
    const { token } = await sluice().api.issue("single");
    await call(open(context), { url: url(), token });
    const { status, headers, body } = await call(open(context), { url: url(), token });
    expect({ status, body }).toEqual({ status: 429, body: LIMITED });
    expect(headers["retry-after"]).toMatch(/^(1000|9\d\d)$/);
    expect(headers.ratelimit).toBe(`"single";r=0;t=${headers["retry-after"] ?? ""}`);
  });

  it("a page's client of gRPC-Web may send its headers, and reads why it was denied", async (context) => {
    const { token } = await sluice().api.issue();
    const asked = async (session: string) =>
      open(context).run(
        async ({ url, session }) => {
          const headers = {
            "content-type": "application/grpc-web+proto",
            "x-grpc-web": "1",
            "x-user-agent": "grpc-web-javascript/0.1",
            "grpc-timeout": "5S",
            "x-session-id": session,
          };
          const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(5) });
          return { status: answer.status, body: await answer.text() };
        },
        { url: url("/sluice.Test/Echo"), session },
      );
    expect(await asked(token)).toEqual({ status: 200, body: UPSTREAM_BODY });
    const denied = await asked("invented");
    expect(denied.status).toBe(200);
    expect(denied.body).toContain("grpc-status:16\r\n");
  });

  it("a page whose origin is not listed can neither send a token nor read a denial", async (context) => {
    const { token } = await sluice().api.issue();
    const reached = sluice().upstream.received.length;
    const foreign = open(context, elsewhere);
    await expect(call(foreign, { url: url(), token })).rejects.toThrow("Failed to fetch");
    await expect(call(foreign, { url: url() })).rejects.toThrow("Failed to fetch");
    expect(sluice().upstream.received.length).toBe(reached);
  });

  it("a page that wants its cookies sent is refused, for the example allows no credentials", async (context) => {
    const { token } = await sluice().api.issue();
    const refused = call(open(context), { url: url(), token, credentials: "include" });
    await expect(refused).rejects.toThrow("Failed to fetch");
  });

  it("a page reads 503 while the limiter is unavailable", async (context) => {
    const browser = open(context);
    await sluice().controlPlane.stop();
    const { token } = sluice().mint.mint(Date.now());
    const answer = await call(browser, { url: url(), token });
    expect(answer).toMatchObject({ status: 503, body: UNAVAILABLE });
    await sluice().controlPlane.start();
  });
});

describe("a page that streams", () => {
  const sluice = useInstallation({
    policy,
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
    policy: { ...policy, token: { from: [{ header: "x-session-id" }, { cookie: "session" }] } },
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

describe("what a browser sends without a header of the page's", () => {
  /** Without Sluice on one route, as docs/requests.md has it. */
  const withOpenRoute = (yaml: string): string =>
    changed(yaml, (document) => {
      const disabled = { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", disabled: true };
      const route = { cluster: "upstream", timeout: "0s", idle_timeout: "60s" };
      const open = { match: { path: "/open" }, route, typed_per_filter_config: { sluice: disabled } };
      prepend(document, ROUTES, [open]);
    });
  const sluice = useInstallation({ policy, bootstrap: (yaml) => withOpenRoute(withCors(yaml, origin)) });

  /** What becomes of `new WebSocket(url)` or `new EventSource(url)`. */
  const opened = (from: BrowserPage, kind: "WebSocket" | "EventSource", url: string) =>
    from.run(
      async ({ kind, url }) => {
        interface Source {
          onopen: () => void;
          onerror: () => void;
          close: () => void;
        }
        const kinds = globalThis as unknown as Record<string, new (url: string) => Source>;
        const source = new (kinds[kind] as new (url: string) => Source)(url);
        const outcome = await new Promise<string>((resolve) => {
          source.onopen = () => {
            resolve("open");
          };
          source.onerror = () => {
            resolve("refused");
          };
        });
        source.close();
        return outcome;
      },
      { kind, url },
    );

  it("a page's WebSocket and EventSource cannot name a session, and are refused", async (context) => {
    const { proxy } = sluice().ports;
    expect(await opened(open(context), "WebSocket", `ws://127.0.0.1:${proxy}/`)).toBe("refused");
    expect(await opened(open(context), "EventSource", `http://127.0.0.1:${proxy}/events`)).toBe("refused");
  });

  it("a page's WebSocket opens on a route without the filter", async (context) => {
    const { proxy } = sluice().ports;
    expect(await opened(open(context), "WebSocket", `ws://127.0.0.1:${proxy}/open`)).toBe("open");
  });
});

describe("a page behind an Envoy with the cors filter behind Sluice", () => {
  const sluice = useInstallation({
    policy,
    bootstrap: (yaml) => withFirstFiltersSwapped(withCors(yaml, origin)),
  });

  it("a page cannot call at all where Sluice stands before the cors filter", async (context) => {
    const { token } = await sluice().api.issue();
    const url = `http://127.0.0.1:${sluice().ports.proxy}/`;
    expect((await sluice().send({ token })).status).toBe(200);
    await expect(call(open(context), { url, token })).rejects.toThrow("Failed to fetch");
  });
});
