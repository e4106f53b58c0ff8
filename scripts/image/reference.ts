// Where an image is to be pushed: REGISTRY/NAME:TAG, as `docker push` takes it.
import { Failure } from "../failure.js";

export interface Reference {
  /** Host and port, as written. */
  readonly host: string;
  readonly name: string;
  readonly tag: string;
  /** The registry's address, without a path. */
  readonly origin: string;
}

/** How to speak to the registry; without a word: HTTPS, and plain HTTP on this machine. */
export type Scheme = "https" | "http" | undefined;

const FORM = "expected REGISTRY/NAME:TAG, such as registry.example/sluice-filter:0.1.0";
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/;
const HOST = /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?$/i;
// Of the OCI distribution specification.
const NAME = /^[a-z\d]+(?:(?:\.|_|__|-+)[a-z\d]+)*(?:\/[a-z\d]+(?:(?:\.|_|__|-+)[a-z\d]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
/** Docker Hub answers under another name than images have. */
const DOCKER_HUB = { name: "docker.io", address: "https://registry-1.docker.io" };

/** @throws Failure: it is of another form */
export function referenceOf(text: string, scheme: Scheme): Reference {
  const [, host = "", name = "", tag = ""] = /^([^/]+)\/([^@]+):([^:/@]+)$/.exec(text) ?? [];
  const isHost = HOST.test(host) && (/[.:]/.test(host) || host === "localhost");
  const wrong = [
    text.includes("@") && "a digest is what a push makes",
    !isHost && "the registry is missing",
    !NAME.test(name) && "the name is of lower-case letters, digits and . _ - between them",
    !TAG.test(tag) && "the tag is of at most 128 letters, digits and . _ -",
  ].find((sentence) => sentence !== false);
  if (wrong !== undefined) throw new Failure(`${text} is no place for an image: ${wrong}; ${FORM}`);
  return { host, name, tag, origin: originOf(host, scheme) };
}

function originOf(host: string, scheme: Scheme): string {
  if (host === DOCKER_HUB.name) return DOCKER_HUB.address;
  return `${scheme ?? (LOOPBACK.test(host) ? "http" : "https")}://${host}`;
}

export const imageName = ({ host, name, tag }: Reference): string => `${host}/${name}:${tag}`;
