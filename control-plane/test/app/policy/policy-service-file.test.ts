// Every way in which people and machines replace the policy file is noticed.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open, stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_POLICY_BYTES } from "../../../../assembly/contract.js";
import type { Timers } from "../../../src/app/ports/log-ports.js";
import type { FollowedText } from "../../../src/app/ports/followed-text.js";
import { FileReader } from "../../../src/files/file-reader.js";
import type { FileSystem } from "../../../src/files/file-reader.js";
import type { WatchTimes } from "../../../src/files/file-watch.js";
import { followedFile } from "../../../src/files/followed-file.js";
import { until } from "../../support/until.js";

/** Real ones: so are the files. */
const timers: Timers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

let folder: string;
let path: string;
let read: string[];
let stop: () => void;

const fileOf = (path: string, times: WatchTimes): FollowedText =>
  followedFile({ path, maxBytes: MAX_POLICY_BYTES, reader: new FileReader(), timers, times });

/** Reads the file once, as the service does at its start, and then after each change. */
async function follow(source: FollowedText, done: () => boolean = () => true): Promise<void> {
  await source.read().catch(() => undefined);
  stop = source.watch(async () => {
    read.push((await source.read().catch(() => "unreadable")).toString());
    return done();
  }, true);
}
const seen = (...texts: string[]) =>
  until(() => {
    expect(read).toEqual(texts);
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-policy-"));
  path = join(folder, "policy.yaml");
  read = [];
  stop = () => undefined;
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

const manners = [
  ["announced by the file system", { pollMs: 60_000, restMs: 100 }],
  ["found by looking", { pollMs: 50, restMs: 100 }],
] as const;

describe.each(manners)("a change of the policy file, %s", (manner, times) => {
  it("a file that is written in place is read", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    writeFileSync(path, "two");
    await seen("two");
  });

  it("a file that is replaced by renaming another over it is read", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    for (const text of ["two", "three"]) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      await until(() => {
        expect(read).toContain(text);
      });
    }
    await seen("two", "three");
  });

  it("a file that is deleted and made again is read", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    unlinkSync(path);
    writeFileSync(path, "two");
    await seen("two");
  });

  it("a file that is taken away is logged, and read when it is back", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    unlinkSync(path);
    await seen("unreadable");
    writeFileSync(path, "two");
    await seen("unreadable", "two");
  });

  it("a file that is written in steps is read once, whole", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    writeFileSync(path, "");
    for (const part of ["t", "w", "o"]) {
      await nextTurn();
      appendFileSync(path, part);
    }
    await seen("two");
  });

  it("a file whose link is swapped, as Kubernetes does for a ConfigMap, is read", async () => {
    for (const [version, text] of [
      ["..v1", "one"],
      ["..v2", "two"],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "policy.yaml"), text);
    }
    symlinkSync("..v1", join(folder, "..data"));
    symlinkSync(join("..data", "policy.yaml"), path);
    await follow(fileOf(path, times));
    symlinkSync("..v2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    rmSync(join(folder, "..v1"), { recursive: true });
    await seen("two");
  });

  it("a file with new text of the same length and modification time is read", async () => {
    writeFileSync(path, "one");
    const { atime, mtime } = statSync(path);
    await follow(fileOf(path, times));
    writeFileSync(path, "two");
    utimesSync(path, atime, mtime);
    await seen("two");
  });

  it("a change of a file beside it is ignored", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, times));
    writeFileSync(join(folder, "other"), manner);
    writeFileSync(path, "two");
    await seen("two");
  });
});

describe("the policy file", () => {
  it("a policy file that was not there at the start is read when it comes, with its folder", async () => {
    path = join(folder, "later", "policy.yaml");
    await follow(fileOf(path, { pollMs: 50, restMs: 100 }));
    mkdirSync(join(folder, "later"));
    writeFileSync(path, "one");
    await seen("one");
  });

  it("a policy file is read again where the reader could not finish with it", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, { pollMs: 50, restMs: 50 }), () => read.length > 2);
    writeFileSync(path, "two");
    await seen("two", "two", "two");
  });

  it("a policy file that could not be read once is read at the next look, though nothing changed", async () => {
    let scarce = 1;
    const fileSystem: FileSystem = {
      stat: (name) => stat(name, { bigint: true }),
      open: (name, flags) =>
        scarce-- > 0 ? Promise.reject(Object.assign(new Error("none left"), { code: "EMFILE" })) : open(name, flags),
    };
    writeFileSync(path, "one");
    const times = { pollMs: 20, restMs: 20 };
    await follow(
      followedFile({ path, maxBytes: MAX_POLICY_BYTES, reader: new FileReader({ fileSystem }), timers, times }),
    );
    await seen("one");
    scarce = 2;
    writeFileSync(path, "two");
    await seen("one", "unreadable", "unreadable", "two");
  });

  it("a policy file that was read and not taken at the start is read again", async () => {
    writeFileSync(path, "one");
    const source = fileOf(path, { pollMs: 20, restMs: 20 });
    await source.read();
    stop = source.watch(async () => {
      read.push((await source.read()).toString());
      return true;
    }, false);
    await seen("one");
  });

  it("a policy file is not read again where nothing changed", async () => {
    writeFileSync(path, "one");
    await follow(fileOf(path, { pollMs: 20, restMs: 20 }));
    const other = fileOf(join(folder, "other"), { pollMs: 20, restMs: 20 });
    const looks = vi.fn<() => Promise<boolean>>(() => Promise.resolve(false));
    await other.read().catch(() => undefined);
    const stopOther = other.watch(looks, true);
    writeFileSync(join(folder, "other"), "x");
    await until(() => {
      expect(looks.mock.calls.length).toBeGreaterThan(5);
    });
    stopOther();
    expect(read).toEqual([]);
  });
});
