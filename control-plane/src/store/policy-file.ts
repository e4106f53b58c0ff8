// The policy in a file that people edit: reads it, and notices every way in which editors and Kubernetes replace it.
import { watch, type FSWatcher } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

import type { Timers } from "../app/ports/log-ports.js";
import type { PolicySource } from "../app/ports/policy-ports.js";
import { FileWatch } from "../files/file-watch.js";
import type { WatchTimes } from "../files/file-watch.js";

const DEFAULT_TIMES: WatchTimes = { pollMs: 1000, restMs: 200 };

/**
 * Looks at the file when its folder changes and at each poll, and compares what it sees with what was last read. The
 * folder is watched and not the file, because a rename over the file would leave a watch on the old one; the poll is
 * for file systems that announce nothing and links that lead elsewhere.
 */
export function policyFile(path: string, timers: Timers, times: WatchTimes = DEFAULT_TIMES): PolicySource {
  const file = new FileWatch({ fingerprint: () => fingerprint(path), times, timers }, null);
  return {
    name: path,
    read: async () => {
      await file.note();
      return readFile(path, "utf8");
    },
    watch: (onChange, isTaken) => {
      if (!isTaken) file.forget();
      const folder = watchedFolder(dirname(path), () => {
        file.announced();
      });
      file.start(onChange);
      return () => {
        file.stop();
        folder?.close();
      };
    },
  };
}

function watchedFolder(folder: string, announced: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, announced);
    // The folder went away. The poll goes on.
    watcher.on("error", () => {
      watcher.close();
    });
    return watcher;
  } catch {
    // The system has no watches left, or the folder is not there yet.
    return null;
  }
}

/**
 * Differs whenever the file was written, replaced, or its links were led elsewhere; a missing file has one too. The
 * time of the last status change cannot be set by programs that put an old modification time back.
 */
async function fingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch {
    return "missing";
  }
}
