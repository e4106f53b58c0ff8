// A page in a real Chromium calls an API of another origin through an Envoy with the entries of envoy/browsers.yaml: what the
// page can read of each answer, and what it cannot do at all. Sessions in cookies, and streams: browsers-cookies.test.ts.
import { describe, expect, it } from "vitest";
import { INVALID, LIMITED, MISSING, UNAVAILABLE } from "../harness/answers.js";
import { prepend, ROUTES, withCors, withFirstFiltersSwapped, changed } from "../harness/bootstrap.js";
import type { BrowserPage } from "../harness/browser.js";
import { useInstallation } from "../harness/installation.js";
import { BROWSERS_POLICY, call, usePages } from "../harness/pages.js";
import { UPSTREAM_BODY } from "../harness/upstream.js";

const { open, origin } = await usePages(true);

describe("a page of another origin", () => {
  const sluice = useInstallation({ policy: BROWSERS_POLICY, bootstrap: (yaml) => withCors(yaml, origin) });
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
    const foreign = open(context, "elsewhere");
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

describe("what a browser sends without a header of the page's", () => {
  /** Without Sluice on one route, as docs/requests.md has it. */
  const withOpenRoute = (yaml: string): string =>
    changed(yaml, (document) => {
      const disabled = { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", disabled: true };
      const route = { cluster: "upstream", timeout: "0s", idle_timeout: "60s" };
      const open = { match: { path: "/open" }, route, typed_per_filter_config: { sluice: disabled } };
      prepend(document, ROUTES, [open]);
    });
  const sluice = useInstallation({
    policy: BROWSERS_POLICY,
    bootstrap: (yaml) => withOpenRoute(withCors(yaml, origin)),
  });

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
    policy: BROWSERS_POLICY,
    bootstrap: (yaml) => withFirstFiltersSwapped(withCors(yaml, origin)),
  });

  it("a page cannot call at all where Sluice stands before the cors filter", async (context) => {
    const { token } = await sluice().api.issue();
    const url = `http://127.0.0.1:${sluice().ports.proxy}/`;
    expect((await sluice().send({ token })).status).toBe(200);
    await expect(call(open(context), { url, token })).rejects.toThrow("Failed to fetch");
  });
});
