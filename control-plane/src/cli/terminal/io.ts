// What the program has of the world: streams, files, time and its end. Tests give it another.

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `out` is a terminal, which then shows so many columns and rows. */
  readonly isTerminal: boolean;
  readonly columns: () => number;
  readonly rows: () => number;
  /** A file or a pipe. Rejects as a FileReader does. */
  readonly readFile: (path: string, maxBytes: number) => Promise<Buffer>;
  /** Whether every user of this machine may read the file; false where it cannot be looked at. */
  readonly isReadableByAll: (path: string) => Promise<boolean>;
  /** Whether every user of this machine may write the file; false where it cannot be looked at. */
  readonly isWritableByAll: (path: string) => Promise<boolean>;
  /** Of envoy.yaml, which every rendered one begins as. Rejects as a FileReader does. */
  readonly readTemplate: () => Promise<string>;
  /** All of the standard input. Rejects as a FileReader does. */
  readonly readInput: (maxBytes: number) => Promise<Buffer>;
  /** Readable by its owner alone. Rejects with the system's error, EEXIST where something stands there that may not be replaced. */
  readonly writePrivate: (path: string, text: string, mayReplace: boolean) => Promise<void>;
  /** For secrets. */
  readonly randomBytes: (count: number) => Buffer;
  /** Runs the program that copies stores, to its end. `progress` is called with each line that says how far it is. */
  readonly storeAdmin: (
    args: readonly string[],
    progress: (line: string) => void,
  ) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** The program's, as package.json says it. */
  readonly version: () => string;
  readonly monotonicMs: () => number;
  /** This machine's clock, ms since the epoch. */
  readonly wallMs: () => number;
  /** Ends early, and without an error, once `until` is aborted. */
  readonly sleep: (ms: number, until?: AbortSignal) => Promise<void>;
  /** Aborted when the user has had enough. To be asked for by what ends in order: else an interrupt ends the process. */
  readonly interruption: () => AbortSignal;
}
