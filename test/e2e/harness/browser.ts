// A page in a real Chromium without a window, which runs what a test gives it, on an origin of its own.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { startProcess, type SupervisedProcess } from "../../../scripts/start/supervised-process.js";
import type { Chromium } from "../../../scripts/test/get-chromium.js";

/** Takes a task, says what came of it, takes the next. A driver of browsers would do no more for these tests. */
const PAGE = `<!doctype html><script type="module">
for (;;) {
  const task = await (await fetch("/task")).text();
  const outcome = await (0, eval)(task).then((value) => ({ value }), (error) => ({ error: String(error) }));
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });
}
</script>`;

/** It speaks to this machine only, and asks no one for news of itself. */
const FLAGS = [
  "--headless",
  // Its sandbox does not start as root. It shows no pages but ours.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  // Without a way in from outside it would end once the page is there.
  "--remote-debugging-port=0",
];

interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
}

export class BrowserPage {
  private browser: SupervisedProcess | undefined;
  private pageAsks: ((response: ServerResponse) => void) | undefined;
  private readonly waiting: ServerResponse[] = [];
  private settle: ((outcome: Outcome) => void) | undefined;
  private cookie = "";

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    /** As a server of other origins sees it. */
    readonly origin: string,
  ) {
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.answer(request, response);
    });
  }

  /** @param host what the page's address is to say: 127.0.0.1 and localhost are two origins */
  static async open({ binary, env }: Chromium, host: "127.0.0.1" | "localhost" = "127.0.0.1"): Promise<BrowserPage> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const folder = mkdtempSync(join(tmpdir(), "sluice-browser-"));
    const page = new BrowserPage(server, folder, `http://${host}:${(server.address() as AddressInfo).port}`);
    page.browser = await startProcess({
      name: "Chromium",
      command: binary,
      args: [...FLAGS, `--user-data-dir=${join(folder, "profile")}`, page.origin],
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      logFile: join(folder, "chromium.log"),
    });
    return page;
  }

  /**
   * What the function comes to in the page; rejects with what it throws there. It runs by its text: it sees its argument
   * and what a browser has, and nothing that stands around it.
   */
  async run<Argument, Result>(task: (argument: Argument) => Promise<Result>, argument: Argument): Promise<Result> {
    const outcome = new Promise<Outcome>((resolve) => (this.settle = resolve));
    const response = this.waiting.pop() ?? (await new Promise<ServerResponse>((resolve) => (this.pageAsks = resolve)));
    response.end(`(${String(task)})(${JSON.stringify(argument)})`);
    const { value, error } = await outcome;
    if (error !== undefined) throw new Error(error);
    return value as Result;
  }

  /** As a login service beside the page does: a cookie that no script in the page sees. */
  async setCookie(name: string, value: string): Promise<void> {
    this.cookie = `${name}=${value}; Path=/; HttpOnly; SameSite=Lax`;
    await this.run(async () => (await fetch("/login", { method: "POST" })).status, null);
  }

  async close(): Promise<void> {
    await this.browser?.stop();
    this.server.close();
    this.server.closeAllConnections();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/task") {
      if (this.pageAsks === undefined) this.waiting.push(response);
      else this.pageAsks(response);
      this.pageAsks = undefined;
    } else if (request.url === "/outcome") {
      this.settle?.(JSON.parse(await text(request)) as Outcome);
      response.end();
    } else if (request.url === "/login") {
      response.writeHead(204, { "set-cookie": this.cookie }).end();
    } else {
      response.writeHead(200, { "content-type": "text/html" }).end(request.url === "/" ? PAGE : "");
    }
  }
}
