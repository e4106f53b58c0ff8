// What goes on while a test waits.

/** One request after the other until `wait` has come to its end. Rejects as either does. */
export async function during(wait: Promise<unknown>, request: () => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const ended = wait.finally(() => {
    over.abort();
  });
  // It may reject while a request is under way: that is seen below.
  ended.catch(() => undefined);
  while (!over.signal.aborted) await request();
  await ended;
}
