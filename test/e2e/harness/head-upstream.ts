// A service that answers every request with its own head, byte by byte, so that a test sees what reached it.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

const UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
const HEAD_END = "\r\n\r\n";
/** What Envoy adds to every request. */
const OF_ENVOY = /^(x-forwarded-(proto|for)|x-request-id|x-envoy-\S+):/;

export async function listenForHeads(port: number): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    let sofar = "";
    socket.on("data", (chunk) => {
      sofar += chunk.toString("latin1");
      for (let end = sofar.indexOf(HEAD_END); end >= 0; end = sofar.indexOf(HEAD_END)) {
        const head = sofar.slice(0, end);
        sofar = sofar.slice(end + HEAD_END.length);
        if (/^upgrade: websocket$/m.test(head)) socket.write(UPGRADED);
        else socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${head.length}\r\n\r\n${head}`, "latin1");
      }
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

/** Of an answer's body: the header lines, sorted, without `host` and what Envoy adds to every request. */
export function headerLinesOf(body: string): string[] {
  const [, ...lines] = body.split("\r\n");
  return lines.filter((line) => !OF_ENVOY.test(line) && !line.startsWith("host:")).sort();
}
