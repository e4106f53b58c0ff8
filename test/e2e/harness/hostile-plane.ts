// A server in place of the control plane that answers watches as a test says: as a broken, older or hostile control plane
// may. It denies every other call as an overloaded one does.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { PATH_WATCH } from "../../../assembly/contract.js";

/** What a watch says of the edge. */
export interface WatchBody {
  readonly instance: string;
  readonly follow: boolean;
  readonly policy?: {
    readonly generation: number;
    readonly hash: string;
    readonly state: string;
    readonly violations?: readonly { readonly path: string; readonly message: string }[];
  };
}

/** May leave the response open for ever. */
export type WatchAnswer = (response: ServerResponse) => void;

export class HostilePlane {
  readonly watches: WatchBody[] = [];
  private current: WatchAnswer | undefined;
  private held: ServerResponse[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.called(request, response).catch(() => response.destroy());
    });
    // A connection that Envoy keeps must not be closed under a call.
    this.server.keepAliveTimeout = 0;
  }

  static async listen(port: number): Promise<HostilePlane> {
    const plane = new HostilePlane();
    plane.server.listen(port, "127.0.0.1");
    await once(plane.server, "listening");
    return plane;
  }

  /** Of the watch that is held and of all that follow; undefined: they are held. */
  set answer(answer: WatchAnswer | undefined) {
    this.current = answer;
    if (answer !== undefined) for (const response of this.held.splice(0)) answer(response);
  }

  /** What the edge last said of the policy. */
  get policyInWatch(): WatchBody["policy"] {
    return this.watches.at(-1)?.policy;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  private async called(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await json(request);
    if (request.url !== PATH_WATCH) {
      response.writeHead(503, { "content-type": "application/json" }).end("{}");
      return;
    }
    this.watches.push(body as WatchBody);
    if (this.current === undefined) this.held.push(response);
    else this.current(response);
  }
}
