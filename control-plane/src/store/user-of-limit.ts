// Under whose name the sessions of a user's limit are indexed, in every engine.

/** Whose sessions a user's limit counts: a user's, of one issuer. No id holds a line end. */
export const userOfLimit = (userId: string, group: string | null): string =>
  group === null ? userId : `${group}\n${userId}`;
