// One answer for all who ask while it is under way: it is long, or it looks at everything there is.

/** Answers what `ask` does; whoever asks meanwhile gets the same. */
export function askedOnce<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let underWay: Promise<Answer> | undefined;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
