// A test that cannot run on this machine: the last line of the run names it, with the reason.

/** The parts of a test's context that are used. */
interface Context {
  readonly task: { readonly meta: object };
  readonly skip: (reason: string) => never;
}

/** Ends the test that it is called in. */
export function notRun({ task, skip }: Context, reason: string): never {
  Object.assign(task.meta, { notRun: reason });
  return skip(reason);
}
