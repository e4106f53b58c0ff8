// What a file system can put in a file's place: each is answered in time, within bounds, and in words.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FileReader, MISSING, whyUnreadable } from "../../src/files/file-reader.js";
import type { FileSystem } from "../../src/files/file-reader.js";
import { UnfitFile } from "../../src/files/regular-file.js";

const MAX_BYTES = 100_000;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-files-"));
  path = join(folder, "file");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const real: FileSystem = { open, stat: (name) => stat(name, { bigint: true }) };
const makePipe = (name: string): void => {
  execFileSync("mkfifo", [name]);
};
const whyNot = (reader: FileReader, name = path): Promise<string> =>
  reader.read(name, MAX_BYTES).then(() => "it was read", whyUnreadable);

describe("what is no file to read", () => {
  it.each<[string, () => void, string]>([
    [
      "a folder",
      () => {
        mkdirSync(path);
      },
      "expected a regular file, got a folder",
    ],
    [
      "a pipe that nobody writes to",
      () => {
        makePipe(path);
      },
      "expected a regular file, got a pipe",
    ],
    [
      "a device",
      () => {
        symlinkSync("/dev/zero", path);
      },
      "expected a regular file, got a device",
    ],
    ["nothing", () => undefined, "ENOENT"],
    [
      "a link to nothing",
      () => {
        symlinkSync("nowhere", path);
      },
      "ENOENT",
    ],
    [
      "a link to itself",
      () => {
        symlinkSync("file", path);
      },
      "ELOOP",
    ],
  ])("a reading says so where there is %s", async (_, make, why) => {
    make();
    expect(await whyNot(new FileReader())).toBe(why);
  });

  it("a reading says so where there is a socket", async () => {
    const server = createServer().listen(path);
    await once(server, "listening");
    expect(await whyNot(new FileReader())).toBe("expected a regular file, got a socket");
    server.close();
  });

  it("a file of 400 MB is rejected by its size, and none of it is read", async () => {
    writeFileSync(path, "");
    truncateSync(path, 400_000_000);
    let reads = 0;
    const counting: FileSystem = {
      ...real,
      open: async (name, flags) => {
        const file = await open(name, flags);
        const read = file.read.bind(file);
        return Object.assign(file, {
          read: (...args: Parameters<typeof read>) => {
            reads += 1;
            return read(...args);
          },
        });
      },
    };
    const why = await whyNot(new FileReader({ fileSystem: counting }));
    expect([why, reads]).toEqual([`expected at most ${MAX_BYTES} bytes, got 400000000`, 0]);
  });

  it("a file that grows while it is read is given up at the bound", async () => {
    // Of size 0 by its status, and endless: as files of /proc may be.
    const endless: FileSystem = {
      ...real,
      open: () =>
        Promise.resolve({
          stat: () => stat(folder).then((status) => Object.assign(status, { isFile: () => true, size: 0 })),
          read: (_buffer, _offset, length) => Promise.resolve({ bytesRead: length }),
          close: () => Promise.resolve(),
        }),
    };
    expect(await whyNot(new FileReader({ fileSystem: endless }))).toBe("expected at most 100000 bytes, got more");
  });
});

describe("what is a file to read", () => {
  it("a file is read through links, up to exactly its bound", async () => {
    writeFileSync(path, "x".repeat(MAX_BYTES));
    symlinkSync("file", join(folder, "link"));
    const content = await new FileReader().read(join(folder, "link"), MAX_BYTES);
    expect(content.toString()).toBe("x".repeat(MAX_BYTES));
  });

  it("a file that could not be read once is read the next time", async () => {
    writeFileSync(path, "content");
    let opened = 0;
    const scarce: FileSystem = {
      ...real,
      open: (name, flags) =>
        opened++ === 0 ? Promise.reject(Object.assign(new Error("none left"), { code: "EMFILE" })) : open(name, flags),
    };
    const reader = new FileReader({ fileSystem: scarce });
    expect(await whyNot(reader)).toBe("EMFILE");
    expect((await reader.read(path, MAX_BYTES)).toString()).toBe("content");
  });

  it("a fingerprint says that a file is missing, and differs for what else is wrong", async () => {
    expect(await new FileReader().fingerprint(path)).toBe(MISSING);
    symlinkSync("file", path);
    expect(await new FileReader().fingerprint(path)).toBe("ELOOP");
  });
});

describe("a file system that hangs", () => {
  const hanging = (): {
    readonly fileSystem: FileSystem;
    readonly asked: () => number;
    readonly answer: () => void;
  } => {
    let asked = 0;
    let answer = (): void => undefined;
    const hang = new Promise<never>((_, reject) => {
      answer = () => {
        reject(Object.assign(new Error("gone"), { code: "EIO" }));
      };
    });
    const never = (): Promise<never> => {
      asked += 1;
      return hang;
    };
    return {
      fileSystem: { open: never, stat: never },
      asked: () => asked,
      answer: () => {
        answer();
      },
    };
  };

  it("a reading ends at its deadline, and those behind it take no further thread", async () => {
    const { fileSystem, asked } = hanging();
    const reader = new FileReader({ fileSystem, deadlineMs: 50 });
    const whys = await Promise.all(Array.from({ length: 20 }, () => whyNot(reader)));
    expect(new Set(whys)).toEqual(new Set(["no answer within 0.05 s"]));
    expect(await reader.fingerprint(path)).toBe("no answer within 0.05 s");
    expect(asked()).toBe(1);
  });

  it("a reader says at its end whether a reading hangs, and waits no longer than it may", async () => {
    const { fileSystem, answer } = hanging();
    const reader = new FileReader({ fileSystem, deadlineMs: 50 });
    expect(await reader.end(10)).toBe(true);
    await whyNot(reader);
    expect(await reader.end(10)).toBe(false);
    answer();
    expect(await reader.end(1000)).toBe(true);
  });

  it("a reading works again once the file system does", async () => {
    const { fileSystem, asked, answer } = hanging();
    const reader = new FileReader({ fileSystem, deadlineMs: 50 });
    await whyNot(reader);
    expect(await whyNot(reader)).toBe("no answer within 0.05 s");
    answer();
    await reader.end(1000);
    expect(await whyNot(reader)).toBe("EIO");
    expect(asked()).toBe(2);
  });
});

describe("a pipe that may be read", () => {
  const pipes = new FileReader({ pipes: true, deadlineMs: 5000 });

  it("a pipe is read to its end, however slowly it is written", async () => {
    makePipe(path);
    const writer = spawn("sh", ["-c", `(printf one; sleep 0.3; printf two) > ${path}`]);
    expect((await pipes.read(path, MAX_BYTES)).toString()).toBe("onetwo");
    writer.kill();
  });

  it("a pipe that holds too much is given up at the bound", async () => {
    makePipe(path);
    const writer = spawn("sh", ["-c", `yes > ${path}`]);
    expect(await whyNot(pipes)).toBe(`expected at most ${MAX_BYTES} bytes, got more`);
    writer.kill();
  });

  it("a pipe that nobody writes to, or whose writer stands still, is given up", async () => {
    makePipe(path);
    await expect(pipes.read(path, MAX_BYTES)).rejects.toThrow(UnfitFile);
    // Open for both, as no one else: its other end is there and says nothing.
    const silent = openSync(path, "r+");
    expect(await whyNot(new FileReader({ pipes: true, deadlineMs: 100 }))).toBe("no answer within 0.1 s");
    closeSync(silent);
  });
});
