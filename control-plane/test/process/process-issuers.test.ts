// The issuers' file of a running control plane: taken however it is replaced, kept where what is there cannot be used.
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { sha256Of } from "../../src/domain/token-hash.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn, temporaryFolder } from "../support/process.js";
import { issuersText } from "../support/issuers.js";
import { until } from "../support/until.js";

const [OLD, NEW] = ["the-token-of-before", "the-token-from-now-on"];

async function status(
  url: string,
  token: string,
  method = "GET",
  path = "/v1/sessions",
  body?: object,
): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
  return (await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })).status;
}

/** How a list takes the place of the one before it, in the file that the settings name. */
interface Place {
  readonly path: string;
  readonly write: (text: string) => void;
}

function renamed(folder: string): Place {
  const path = join(folder, "issuers.yaml");
  const write = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  return { path, write };
}

function saved(folder: string): Place {
  const path = join(folder, "issuers.yaml");
  return {
    path,
    write: (text) => {
      writeFileSync(path, text);
    },
  };
}

/** As the kubelet does it: the file is a link through a link, which is replaced. */
function swapped(folder: string): Place {
  const mount = join(folder, "mount");
  let version = 0;
  const write = (text: string): void => {
    version += 1;
    mkdirSync(join(mount, `..${version}`), { recursive: true });
    writeFileSync(join(mount, `..${version}`, "issuers.yaml"), text);
    symlinkSync(`..${version}`, join(mount, "..data_tmp"));
    renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
    if (version === 1) symlinkSync(join("..data", "issuers.yaml"), join(mount, "issuers.yaml"));
    else rmSync(join(mount, `..${version - 1}`), { recursive: true });
  };
  return { path: join(mount, "issuers.yaml"), write };
}

async function running(place: Place, text: string) {
  place.write(text);
  const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_ISSUERS_FILE: place.path });
  return { plane, url: await plane.listening() };
}

describe("a rotation of an issuer's token", () => {
  it.each([
    ["a rename", renamed],
    ["a save in place", saved],
    ["a swap of links, as in Kubernetes", swapped],
  ])("both tokens are good, then the old one is 401, by %s and without a restart", async (_how, placeIn) => {
    const place = placeIn(temporaryFolder());
    const [old, fresh] = [
      { name: "login", token: OLD },
      { name: "login", token: NEW },
    ];
    const { plane, url } = await running(place, issuersText(old));
    const fields = { userId: "u1", orgId: "o1" };
    expect(await status(url, OLD, "POST", "/v1/sessions", fields)).toBe(201);
    expect(await status(url, NEW)).toBe(401);

    place.write(issuersText(old, fresh));
    await until(async () => {
      expect([await status(url, OLD), await status(url, NEW)]).toEqual([200, 200]);
    });
    place.write(issuersText(fresh));
    await until(async () => {
      expect([await status(url, OLD), await status(url, NEW)]).toEqual([401, 200]);
    });
    const headers = { authorization: `Bearer ${NEW}` };
    const { sessions } = (await (await fetch(`${url}/v1/sessions`, { headers })).json()) as { sessions: object[] };
    expect(sessions).toMatchObject([{ userId: "u1", issuer: "login" }]);
    const removed = `"added":[],"removed":["issuer:login:${sha256Of(OLD).slice(0, 8)}"]`;
    await until(() => {
      expect(plane.stdout).toContain(removed);
    });
    expect(plane.stdout).not.toContain(OLD);

    place.write("[]\n");
    await until(async () => {
      expect(await status(url, NEW)).toBe(401);
    });
  });

  it("a list survives kill -9: what is in the file is in force after the restart", async () => {
    const place = saved(temporaryFolder());
    place.write(issuersText({ name: "login", token: OLD }));
    const settings = { ...settingsIn(), SLUICE_ISSUERS_FILE: place.path };
    const first = new ControlPlaneProcess(settings);
    const path = `/v1/sessions/${await createdAt(await first.listening(), OLD)}`;
    place.write(issuersText({ name: "login", token: NEW }));
    first.kill("SIGKILL");
    await first.ended;
    const second = new ControlPlaneProcess(settings);
    const url = await second.listening();
    expect([await status(url, OLD, "GET", path), await status(url, NEW, "GET", path)]).toEqual([401, 200]);
    expect(await status(url, NEW, "DELETE", path)).toBe(204);
  });
});

async function createdAt(url: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ userId: "u1", orgId: "o1" });
  const answer = await fetch(`${url}/v1/sessions`, { method: "POST", headers, body });
  return ((await answer.json()) as { session: { id: string } }).session.id;
}

describe("an issuers' file that cannot be used", () => {
  const rejected = async (plane: ControlPlaneProcess): Promise<string | undefined> =>
    /^sluice_control_issuers_file_rejected (\d)$/m.exec(
      await (await fetch(`${await plane.status()}/metrics`)).text(),
    )?.[1];

  it.each<[string, (path: string) => void, RegExp]>([
    [
      "says something else",
      (path) => {
        writeFileSync(path, "- name: Login\n");
      },
      /:1:9: \[0\]\.name: expected an issuer's name/,
    ],
    [
      "is empty",
      (path) => {
        writeFileSync(path, "");
      },
      /:1:1: expected a list of issuers, or \[\] for none/,
    ],
    [
      "is gone",
      (path) => {
        rmSync(path);
      },
      /cannot be read: ENOENT/,
    ],
    [
      "is a folder",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      /cannot be read: expected a regular file, got a folder/,
    ],
    [
      "is a pipe",
      (path) => {
        rmSync(path);
        execFileSync("mkfifo", [path]);
      },
      /cannot be read: expected a regular file, got a pipe/,
    ],
    [
      "is too long",
      (path) => {
        writeFileSync(path, "#".repeat(600_000));
      },
      /cannot be read: expected at most 524288 bytes, got 600000/,
    ],
  ])("a file that %s is loud once, and the list before it stays until it is mended", async (_what, spoil, reason) => {
    const place = saved(temporaryFolder());
    const { plane, url } = await running(place, issuersText({ name: "login", token: OLD }));
    expect(await rejected(plane)).toBe("0");
    spoil(place.path);
    await until(async () => {
      expect(await rejected(plane)).toBe("1");
    });
    expect(await status(url, OLD)).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const lines = plane.stdout.split("\n").filter((line) => line.includes('"event":"issuers-rejected"'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/"level":"error"/);
    expect((JSON.parse(lines[0] ?? "") as { msg: string }).msg).toMatch(reason);

    rmSync(place.path, { recursive: true, force: true });
    place.write(issuersText({ name: "login", token: NEW }));
    await until(async () => {
      expect([await rejected(plane), await status(url, OLD), await status(url, NEW)]).toEqual(["0", 401, 200]);
    });
  });

  it("a control plane does not start with such a file, and each violation is a line", async () => {
    const path = join(temporaryFolder(), "issuers.yaml");
    const own = sha256Of(ADMIN_TOKEN);
    writeFileSync(
      path,
      `- { name: A, tokenSha256: ${own}, scopes: [] }\n- { name: b, tokenSha256: "${sha256Of(SECRET)}" }\n`,
    );
    const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_ISSUERS_FILE: path });
    const { code } = await plane.ended;
    expect(code).not.toBe(0);
    expect(plane.stderr.trimEnd().split("\n")).toEqual([
      "sluice control plane: SLUICE_ISSUERS_FILE: the issuers cannot be used",
      `  ${path}:1:11: [0].name: expected an issuer's name, 1 to 32 of a-z, 0-9 and -`,
      `  ${path}:1:27: [0].tokenSha256: expected another token: this one is in SLUICE_ADMIN_TOKEN already`,
      `  ${path}:1:101: [0].scopes: expected a list of at least one of issue, read, revoke`,
      `  ${path}:2:3: [1]: expected the field scopes`,
      `  ${path}:2:27: [1].tokenSha256: expected another token: this one is the secret of SLUICE_SECRET`,
    ]);
  });

  it("a file that is not there at the start is an error that names it", async () => {
    const path = join(temporaryFolder(), "none.yaml");
    const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_ISSUERS_FILE: path });
    expect((await plane.ended).code).not.toBe(0);
    expect(plane.stderr).toContain(`${path}: cannot be read: ENOENT`);
  });
});

it("a token that is too short is accepted for nobody, though its hash is in the file", async () => {
  const place = saved(temporaryFolder());
  const { url } = await running(
    place,
    issuersText({ name: "login", token: "short" }, { name: "app", token: "x".repeat(257) }),
  );
  expect([await status(url, "short"), await status(url, "x".repeat(257))]).toEqual([401, 401]);
});
