// The policy in a file that people edit: reads it, and notices every way in which editors and Kubernetes replace it.
import { watch, type FSWatcher } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { PolicySource } from "../app/ports/policy-ports.js";

export interface PolicyFileTimes {
  /** A look this often, whatever the file system announces. */
  readonly pollMs: number;
  /** The file must have rested this long: many editors empty a file and then fill it. */
  readonly restMs: number;
}

const DEFAULT_TIMES: PolicyFileTimes = { pollMs: 1000, restMs: 200 };

export function policyFile(path: string, times: PolicyFileTimes = DEFAULT_TIMES): PolicySource {
  const file = new PolicyFile(path, times);
  return { name: path, read: () => file.read(), watch: (onChange) => file.watch(onChange) };
}

/**
 * Looks at the file when its folder changes and at each poll, and compares what it sees with what was last read. The
 * folder is watched and not the file, because a rename over the file would leave a watch on the old one; the poll is
 * for file systems that announce nothing and links that lead elsewhere.
 */
class PolicyFile {
  /** The file as it was just before it was last read; null where that is to be read again. */
  private lastRead: string | null = null;
  private previous: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  /** A look is under way or due soon, and will see what an announcement is about. */
  private alert = false;

  constructor(
    private readonly path: string,
    private readonly times: PolicyFileTimes,
  ) {}

  async read(): Promise<string> {
    this.lastRead = await fingerprint(this.path);
    return readFile(this.path, "utf8");
  }

  watch(onChange: () => Promise<boolean>): () => void {
    let stopped = false;
    const lookIn = (ms: number): void => {
      if (stopped) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.look(onChange).then(lookIn), ms);
    };
    const folder = watchedFolder(dirname(this.path), () => {
      if (this.alert) return;
      this.alert = true;
      lookIn(0);
    });
    lookIn(this.times.pollMs);
    return () => {
      stopped = true;
      clearTimeout(this.timer);
      folder?.close();
    };
  }

  /** Answers after how many ms to look again. */
  private async look(onChange: () => Promise<boolean>): Promise<number> {
    this.alert = true;
    const seen = await fingerprint(this.path);
    const changed = seen !== this.lastRead;
    const rested = seen === this.previous;
    this.previous = seen;
    if (changed && !rested) return this.times.restMs;
    if (changed && !(await onChange())) this.lastRead = null;
    this.alert = false;
    return this.times.pollMs;
  }
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
