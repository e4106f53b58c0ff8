// Something between an Envoy and its control plane, as networks have it: it hands calls on, late, not at all, or without their answer.
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as pass } from "node:timers/promises";

/** `deny`: 503 from here. `cut`: no answer, and the control plane never hears of it. `lose`: it does, and its answer is lost. */
export type Treatment = "pass" | "deny" | "cut" | "lose" | { readonly delayMs: number };

const WATCH = "/edge/v1/watch";

export type EdgeCall = "acquire" | "report" | "watch" | "lease";

export class Middlebox {
  /** Where it hands calls on to. */
  target = 0;
  private readonly treatments = new Map<string, () => Treatment>();

  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Middlebox> {
    const server = createServer();
    const middlebox = new Middlebox(server);
    server.on("request", (incoming, response) => {
      // A caller that has gone away has its answer nowhere.
      middlebox.hand(incoming, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return middlebox;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @param treatment asked for each call */
  treat(call: EdgeCall, treatment: () => Treatment): void {
    this.treatments.set(`/edge/v1/${call}`, treatment);
  }

  passAll(): void {
    this.treatments.clear();
  }

  /** A bootstrap whose calls go here in place of the control plane itself. */
  between(bootstrap: string): string {
    return bootstrap.replace(
      /(- name: sluice_control_plane\n[^]*?port_value: )\d+/,
      (_, before: string) => before + String(this.port),
    );
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  private async hand(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const treated = (): Treatment => this.treatments.get(incoming.url ?? "")?.() ?? "pass";
    const treatment = treated();
    if (treatment === "cut") return void response.destroy();
    if (treatment === "deny") return void response.writeHead(503).end();
    if (typeof treatment === "object") await pass(treatment.delayMs);
    const { url: path, method, headers } = incoming;
    const outgoing = request({ host: "127.0.0.1", port: this.target, path, method, headers });
    response.once("close", () => outgoing.destroy());
    outgoing.end(body);
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    const answered = await buffer(answer);
    // A watch is held for long: what counts is what happens to answers now.
    if (path === WATCH ? treated() === "lose" : treatment === "lose") return void response.destroy();
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  }
}
