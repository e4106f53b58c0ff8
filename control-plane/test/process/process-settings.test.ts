// Settings of the real process that cannot be used: each ends the start with 78 and one line, and what is right is not.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";

/** What it says where it does not start, without its name. */
async function rejected(settings: Record<string, string>): Promise<string> {
  const plane = new ControlPlaneProcess({ ...settingsIn(), ...settings });
  expect(await plane.ended).toEqual({ code: 78, signal: null });
  expect(plane.stderr).toMatch(/^sluice control plane: [^\n]+\n$/);
  return plane.stderr.slice("sluice control plane: ".length, -1);
}

describe("a variable that no program reads", () => {
  it("a misspelt variable ends the start, and the right one is named without the value", async () => {
    expect(await rejected({ SLUICE_METADATA_RETENTOIN: "30d" })).toBe(
      "SLUICE_METADATA_RETENTOIN: there is no such setting; did you mean SLUICE_METADATA_RETENTION?",
    );
  });

  it("the misspelt name of a secret is named, and not that the secret is missing", async () => {
    const said = await rejected({ SLUICE_SECRET: "", SLUICE_SECRT: "4f".repeat(32) });
    expect(said).toBe("SLUICE_SECRT: there is no such setting; did you mean SLUICE_SECRET?");
  });

  it("a variable that is like none ends the start, and where all are listed is said", async () => {
    expect(await rejected({ SLUICE_COLOUR: "blue" })).toBe(
      'SLUICE_COLOUR: there is no such setting; README.md, "Configuration", lists all',
    );
  });

  it("variables that Kubernetes and Docker set for a service named sluice stop no start", async () => {
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_SERVICE_HOST: "10.96.0.17",
      SLUICE_SERVICE_PORT: "8080",
      SLUICE_SERVICE_PORT_HTTP: "8080",
      SLUICE_PORT: "tcp://10.96.0.17:8080",
      SLUICE_PORT_8080_TCP: "tcp://10.96.0.17:8080",
      SLUICE_PORT_8080_TCP_PROTO: "tcp",
      SLUICE_PORT_8080_TCP_PORT: "8080",
      SLUICE_PORT_8080_TCP_ADDR: "10.96.0.17",
      SLUICE_CONTROL_PLANE_SERVICE_HOST: "fd00::17",
      SLUICE_CONTROL_PLANE_PORT: "tcp://[fd00::17]:8080",
      SLUICE_NAME: "/web/sluice",
      SLUICE_ENV_NODE_VERSION: "22",
    });
    await plane.port();
  });
});

it("a duration in the wrong unit ends the start, with what it would be and what may be meant", async () => {
  expect(await rejected({ SLUICE_METADATA_RETENTION: "30" })).toBe(
    'SLUICE_METADATA_RETENTION: expected at least 1m, got "30", which is 30 ms; did you mean 30d or 30h or 30m?',
  );
});

describe("an address that cannot be listened on", () => {
  it.each(["nowhere.invalid", "192.0.2.1", "localhost:8080", "http://127.0.0.1", "[::1]", "10.0.0.0/8"])(
    "the host %s is said to be none of this machine, by SLUICE_HTTP_HOST alone",
    async (host) => {
      const said = await rejected({ SLUICE_HTTP_HOST: host });
      expect(said).toContain(`SLUICE_HTTP_HOST: expected an address of this machine, or a name of one, got "${host}"`);
      expect(said).not.toContain("PORT");
    },
  );
});

const pipe = (path: string): void => {
  execFileSync("mkfifo", [path]);
};
const folderAt = (path: string): void => {
  mkdirSync(path);
};
const write = (content: string | Buffer) => (path: string) => {
  writeFileSync(path, content);
};
const link = (target: string) => (path: string) => {
  symlinkSync(target, path);
};
const above = (make: (path: string) => void) => (path: string) => {
  make(join(path, ".."));
};

describe("a data folder that cannot be one", () => {
  const below = (name: string) => (folder: string) => join(folder, name);
  const cases: [what: string, make: (folder: string) => string, says: string][] = [
    ["a file", made("file", write("")), "expected a folder, got a file"],
    ["below a file", made("file/data", above(write(""))), "what stands above it is no folder"],
    ["a pipe", made("pipe", pipe), "expected a folder, got a pipe"],
    ["a link to nowhere", made("link", link("nowhere")), "is a link that leads nowhere"],
    ["below a link to nowhere", made("link/x", above(link("nowhere"))), "leads nowhere"],
    ["a link to itself", made("link", link("link")), "its links lead in a circle"],
    ["a device", () => "/dev/null", "expected a folder, got a device"],
    ["/proc", () => "/proc", "its file system takes none there"],
    ["below /proc", () => "/proc/sluice/data", "/proc/sluice cannot be made: its file system takes none there"],
    ["of a name too long", below("x".repeat(300)), "its name is too long"],
    ["with a store that is none", storeOf("no store\n".repeat(2000)), "store.mdb is no store: it is damaged"],
    [
      "with a link to nowhere as the store",
      inside("store.mdb", link("nowhere")),
      "store.mdb is a link that leads nowhere",
    ],
    [
      "with a folder as the table of readers",
      inside("store.mdb-lock", folderAt),
      "expected a regular file, got a folder",
    ],
    ["with a pipe as the table of readers", inside("store.mdb-lock", pipe), "expected a regular file, got a pipe"],
    ["with a link to nowhere as the table of readers", inside("store.mdb-lock", link("nowhere")), "leads nowhere"],
    ["with a link to nowhere as its lock", inside("control-plane.lock", link("no/where")), "leads nowhere"],
    ["with a store and a folder as the table of readers", tableOfReaders, "store.mdb-lock: expected a regular file"],
  ];

  function made(name: string, make: (path: string) => void): (folder: string) => string {
    return (folder) => {
      make(join(folder, name));
      return join(folder, name);
    };
  }
  function inside(name: string, make: (path: string) => void): (folder: string) => string {
    return (folder) => {
      make(join(folder, name));
      return folder;
    };
  }
  function storeOf(content: string): (folder: string) => string {
    return (folder) => {
      writeFileSync(join(folder, "store.mdb"), content);
      return folder;
    };
  }
  function tableOfReaders(folder: string): string {
    writeFileSync(join(folder, "store.mdb"), "");
    mkdirSync(join(folder, "store.mdb-lock"));
    return folder;
  }

  it.each(cases)("a data folder that cannot be one ends the start with 78 and one line: %s", async (_, make, says) => {
    const folder = make(temporaryFolder());
    const said = await rejected({ SLUICE_DATA_DIR: folder });
    expect(said).toContain(`the store in ${folder} (SLUICE_DATA_DIR) cannot be opened: `);
    expect(said).toContain(says);
  });

  it("a data folder is made with those above it", async () => {
    await new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: join(temporaryFolder(), "a/b/c") }).port();
  });
});

describe("TLS and the policy", () => {
  it("a TLS file that is missing ends the start with 78", async () => {
    const both = { SLUICE_TLS_CERT_FILE: "/nowhere/tls.crt", SLUICE_TLS_KEY_FILE: "/nowhere/tls.key" };
    expect(await rejected(both)).toBe("SLUICE_TLS_CERT_FILE: /nowhere/tls.crt cannot be read: ENOENT");
  });
});

describe("a secret's file that cannot be used", () => {
  const cases: [what: string, make: (path: string) => void, says: string][] = [
    ["is not there", () => undefined, "ENOENT"],
    ["is a folder", folderAt, "expected a regular file, got a folder"],
    ["is a pipe", pipe, "expected a regular file, got a pipe"],
    ["is a device", link("/dev/zero"), "expected a regular file, got a device"],
    ["is empty", write(""), "it is empty"],
    ["holds an end of line alone", write("\r\n"), "it is empty"],
    ["is too long", long, "expected at most 65536 bytes, got 65537"],
    ["holds bytes of no text", write(Buffer.from([0xff, 0xfe, 65])), "expected text"],
    ["holds zeros", write(Buffer.alloc(64)), "expected text"],
  ];

  function long(path: string): void {
    writeFileSync(path, "4f".repeat(32));
    truncateSync(path, 65_537);
  }

  it.each(cases)("a secret's file that %s ends the start with 78, and is named", async (_, make, says) => {
    const path = join(temporaryFolder(), "secret");
    make(path);
    const said = await rejected({ SLUICE_SECRET: "", SLUICE_SECRET_FILE: path });
    expect(said).toContain(`SLUICE_SECRET_FILE: ${path} cannot be used: `);
    expect(said).toContain(says);
  });

  it("a secret's file that holds no secret is named by its variable, and not shown", async () => {
    const path = join(temporaryFolder(), "secret");
    writeFileSync(path, "c2hvcnQ-secret\n");
    const said = await rejected({ SLUICE_SECRET: "", SLUICE_SECRET_FILE: path });
    expect(said).toMatch(/^SLUICE_SECRET_FILE holds \d+ bytes/);
    expect(said).not.toContain("c2hvcnQ");
  });

  it("a secret in the place of its file's path is not shown", async () => {
    // The second one is base64, which has the sign of folders.
    for (const secret of ["hunter2-hunter2-hunter2", "hunter2/".repeat(5) + "abc="]) {
      const said = await rejected({ SLUICE_ADMIN_TOKEN: "", SLUICE_ADMIN_TOKEN_FILE: secret });
      expect(said).toMatch(
        /^SLUICE_ADMIN_TOKEN_FILE: the file that it names \(expected a path with \/\) cannot be used: /,
      );
      expect(said).not.toContain("hunter2");
    }
  });

  it("a secret in a variable and in a file ends the start, and both are named", async () => {
    const path = join(temporaryFolder(), "token");
    writeFileSync(path, "another-token-of-an-operator");
    expect(await rejected({ SLUICE_ADMIN_TOKEN_FILE: path })).toBe(
      "SLUICE_ADMIN_TOKEN and SLUICE_ADMIN_TOKEN_FILE are both set: set one of them",
    );
  });
});
