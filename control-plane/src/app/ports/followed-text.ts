// A text that somebody edits while the process runs.

/** Where an operator writes it. */
export interface FollowedText {
  /** For people: the file's path. */
  readonly name: string;
  /** The whole text as it is now, as bytes or decoded. Rejects where there is none or it cannot be read. */
  read(): Promise<string | Uint8Array>;
  /**
   * Calls `onChange` after each change, once the source is at rest, never twice at a time; also where what was read last
   * could not be read, or is not `isTaken` yet. Resolved with false, it is called again a little later. Returns how to
   * stop.
   */
  watch(onChange: () => Promise<boolean>, isTaken: boolean): () => void;
}
