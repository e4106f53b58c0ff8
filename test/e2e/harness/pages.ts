// A page in a headless Chromium, as the tests of browsers use it: opened once a file, or the end of a test where there is none.
import { afterAll, type TestContext } from "vitest";
import { findChromium } from "../../../scripts/test/get-chromium.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { BrowserPage } from "./browser.js";
import { policyOf } from "./policy.js";

export interface Call {
  readonly url: string;
  readonly token?: string;
  readonly credentials?: "include";
}

export interface Pages {
  /** Of the page, for `allow_origin`; of none where there is no browser. */
  readonly origin: string;
  /** The page, or the end of a test on a machine that can have no browser. */
  readonly open: (context: TestContext, which?: "elsewhere") => BrowserPage;
}

/** The page for the tests of a file. @param hasElsewhere also one of another origin */
export async function usePages(hasElsewhere = false): Promise<Pages> {
  const found = await findChromium();
  const page = "chromium" in found ? await BrowserPage.open(found.chromium) : undefined;
  const elsewhere =
    hasElsewhere && "chromium" in found ? await BrowserPage.open(found.chromium, "localhost") : undefined;
  afterAll(async () => {
    await page?.close();
    await elsewhere?.close();
  });
  const open = (context: TestContext, which?: "elsewhere"): BrowserPage => {
    if ("reason" in found) return notRun(context, found.reason);
    const wanted = which === undefined ? page : elsewhere;
    if (wanted === undefined) throw new Error("there is no page");
    return wanted;
  };
  return { origin: page?.origin ?? "http://127.0.0.1:1", open };
}

/** A request of the page, and all that it can read of the answer. */
export const call = (from: BrowserPage, request: Call) =>
  from.run(async ({ url, token, credentials }: Call) => {
    const answer = await fetch(url, {
      credentials: credentials ?? "omit",
      headers: token === undefined ? {} : { "x-session-id": token },
    });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  }, request);

/** Nothing comes back while a test runs. */
export const BROWSERS_POLICY = policyOf(
  [
    { name: "default", maxTokens: 100, tokenRefillRate: 0 },
    // And yet there is a time to name: a token takes 1000 s.
    { name: "single", maxTokens: 1, tokenRefillRate: 0.001 },
  ],
  { onUnreachable: "deny" },
);
