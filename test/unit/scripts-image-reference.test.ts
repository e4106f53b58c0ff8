// Where an image goes, and whose credentials are shown there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../scripts/failure.js";
import { credentialsFor } from "../../scripts/image/credentials.js";
import { referenceOf, type Scheme } from "../../scripts/image/reference.js";
import { authorizationFor } from "../../scripts/image/registry-auth.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-docker-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the place of an image", () => {
  it.each<readonly [text: string, scheme: Scheme, origin: string]>([
    ["registry.example/sluice-filter:0.1.0", undefined, "https://registry.example"],
    ["registry.example:5000/a/b-c:0.1.0-lean", undefined, "https://registry.example:5000"],
    ["registry.example/sluice-filter:0.1.0", "http", "http://registry.example"],
    ["localhost/sluice-filter:x", undefined, "http://localhost"],
    ["127.0.0.1:5000/sluice-filter:x", undefined, "http://127.0.0.1:5000"],
    ["[::1]:5000/sluice-filter:x", undefined, "http://[::1]:5000"],
    ["127.0.0.1:5000/sluice-filter:x", "https", "https://127.0.0.1:5000"],
    ["127.0.0.1.example/sluice-filter:x", undefined, "https://127.0.0.1.example"],
    ["docker.io/me/sluice-filter:x", undefined, "https://registry-1.docker.io"],
  ])("%s asked over %s is at %s", (text, scheme, origin) => {
    expect(referenceOf(text, scheme)).toMatchObject({ origin });
  });

  it.each([
    ["sluice-filter:0.1.0", "the registry is missing"],
    ["me/sluice-filter:0.1.0", "the registry is missing"],
    ["registry.example/sluice-filter", "the registry is missing"],
    ["registry.example/Sluice:0.1.0", "the name is of lower-case letters"],
    ["registry.example/../x:0.1.0", "the name is of lower-case letters"],
    ["registry.example/sluice-filter:-x", "the tag is of at most 128 letters"],
    [`registry.example/sluice-filter@sha256:${"0".repeat(64)}`, "a digest is what a push makes"],
    ["user:word@registry.example/sluice-filter:x", "a digest is what a push makes"],
  ])("%s is no place: %s", (text, why) => {
    expect(() => referenceOf(text, undefined)).toThrow(why);
  });
});

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString("base64") });
const held = (config: unknown, host: string): ReturnType<typeof credentialsFor> => {
  writeFileSync(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return credentialsFor(host, { DOCKER_CONFIG: folder });
};

describe("credentials for a registry", () => {
  it.each([
    ["its own name", { "registry.example": auth("me:a:b") }, "registry.example"],
    ["an address", { "https://registry.example/v2/": auth("me:a:b") }, "registry.example"],
    ["Docker Hub's", { "https://index.docker.io/v1/": auth("me:a:b") }, "docker.io"],
    ["words", { "registry.example:5000": { username: "me", password: "a:b" } }, "registry.example:5000"],
  ])("what docker login left under %s is found", (_, auths, host) => {
    expect(held({ auths }, host).credentials).toEqual({ user: "me", password: "a:b" });
  });

  it("credentials of another registry, or of another port, are not shown", () => {
    const auths = { "registry.example": auth("me:word"), "x.example": auth("me:word") };
    const { credentials, told } = held({ auths }, "registry.example:5000");
    expect(credentials).toBeUndefined();
    expect(told).toBe(`${join(folder, "config.json")} has none in auths for registry.example:5000`);
  });

  it("a program that keeps credentials is named as not asked", () => {
    const { credentials, told } = held({ auths: { "registry.example": {} }, credsStore: "pass" }, "registry.example");
    expect(credentials).toBeUndefined();
    expect(told).toContain("the program that it names for them is not asked");
  });

  it("credentials are looked for in the home folder where DOCKER_CONFIG names none", () => {
    mkdirSync(join(folder, ".docker"));
    writeFileSync(join(folder, ".docker/config.json"), JSON.stringify({ auths: { "registry.example": auth("me:w") } }));
    expect(credentialsFor("registry.example", { HOME: folder }).credentials).toEqual({ user: "me", password: "w" });
    expect(credentialsFor("registry.example", { HOME: join(folder, "none") }).told).toContain("is not there");
  });

  it("a broken file is named, and none of its text", () => {
    expect(() => held('{"auths": {"registry.example": {"auth": "c2VjcmV0', "registry.example")).toThrow(
      new Failure(`${join(folder, "config.json")} cannot be read: expected the JSON that docker login writes`),
    );
  });
});

/** No request may be made. */
const noFetch: typeof fetch = () => Promise.reject(new Error("a request was made"));

it.each([
  ['Bearer realm="http://tokens.example/t"', "names the token service http://tokens.example: expected one over HTTPS"],
  ['Bearer realm="ftp://tokens.example/t"', "expected one over HTTPS"],
  ['Bearer service="x"', "names no token service"],
])("credentials do not go where a registry says %s", async (header, message) => {
  const held = { credentials: { user: "me", password: "word" }, told: "" };
  const origin = "https://registry.example";
  const asked = { host: "registry.example", origin, scope: "repository:x:pull,push", held, fetch: noFetch };
  await expect(authorizationFor(header, asked)).rejects.toThrow(message);
});
