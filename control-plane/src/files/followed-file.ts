// A file that people edit: reads it, and notices every way in which editors and Kubernetes replace it.
import { watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";

import type { FollowedText } from "../app/ports/followed-text.js";
import type { Timers } from "../app/ports/log-ports.js";
import { MISSING } from "./file-reader.js";
import type { FileReader } from "./file-reader.js";
import { UnfitFile } from "./regular-file.js";
import { FileWatch } from "./file-watch.js";
import type { WatchTimes } from "./file-watch.js";

const DEFAULT_TIMES: WatchTimes = { pollMs: 1000, restMs: 200 };

export interface FollowedFileParts {
  readonly path: string;
  readonly maxBytes: number;
  readonly reader: FileReader;
  readonly timers: Timers;
  readonly times?: WatchTimes;
}

/**
 * Looks at the file when its folder changes and at each poll, and compares what it sees with what was last read. The
 * folder is watched and not the file, because a rename over the file would leave a watch on the old one; the poll is
 * for file systems that announce nothing and links that lead elsewhere.
 */
export function followedFile(parts: FollowedFileParts): FollowedText {
  const { path, maxBytes, reader, timers, times = DEFAULT_TIMES } = parts;
  const file = new FileWatch({ fingerprint: () => reader.fingerprint(path), times, timers }, null);
  /** To watch a folder asks the file system at once, and would hang where that does. */
  let answers = false;
  return {
    name: path,
    read: async () => {
      const seen = await file.note();
      try {
        const content = await reader.read(path, maxBytes);
        answers = true;
        return content;
      } catch (error) {
        answers = answers || seen === MISSING;
        // Another time it may be readable as it is. A file that is gone, or none to read, is one when it has changed.
        if (seen !== MISSING && !(error instanceof UnfitFile)) file.forget();
        throw error;
      }
    },
    watch: (onChange, isTaken) => {
      if (!isTaken) file.forget();
      const folder = answers
        ? watchedFolder(dirname(path), () => {
            file.announced();
          })
        : null;
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
