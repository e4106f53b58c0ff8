// HTTP/1.1 by the byte: for what no client library would send, and for answers before their time.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

/** Sends the bytes and resolves with the answer that came back, head and body. */
export async function exchange(port: number, bytes: Buffer | string): Promise<string> {
  const socket = await open(port);
  socket.write(bytes);
  const answer = await readUntil(socket, isWholeAnswer);
  socket.destroy();
  return answer;
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Resolves with what has come as soon as `isEnough` says so; rejects if the connection ends before. */
export function readUntil(socket: Socket, isEnough: (sofar: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let sofar = "";
    const take = (chunk: Buffer): void => {
      sofar += chunk.toString("latin1");
      if (!isEnough(sofar)) return;
      socket.off("data", take).off("close", tooSoon);
      resolve(sofar);
    };
    const tooSoon = (): void => {
      reject(new Error(`the connection ended after ${JSON.stringify(sofar)}`));
    };
    socket.on("data", take).once("close", tooSoon);
  });
}

/** By its own account of its length: Envoy keeps a connection open for a second after the answer that ends it. */
function isWholeAnswer(sofar: string): boolean {
  const headEnd = sofar.indexOf(HEAD_END);
  if (headEnd === -1) return false;
  const head = sofar.slice(0, headEnd);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return sofar.length >= headEnd + HEAD_END.length + Number(length);
  return sofar.endsWith("0\r\n\r\n");
}
