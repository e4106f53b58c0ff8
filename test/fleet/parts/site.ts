// What all parts of a run share: a folder, the installation's secrets, and what is to be ended.
import { randomBytes } from "node:crypto";

const SECRET_BYTES = 32;

export interface Site {
  /** Where configurations, logs and the policy are. */
  readonly folder: string;
  /** As SLUICE_SECRET holds it. */
  readonly secret: string;
  readonly adminToken: string;
  readonly ends: Ends;
}

export const newSite = (folder: string, ends: Ends): Site => ({
  ...{ folder, ends },
  secret: randomBytes(SECRET_BYTES).toString("hex"),
  adminToken: randomBytes(SECRET_BYTES).toString("base64url"),
});

/** What has been started, in this order: it is ended in the opposite one. */
export class Ends {
  private readonly ends: (() => unknown)[] = [];
  private ending: Promise<void> | undefined;

  /** Where everything is being ended already, this is too, and the promise rejects. */
  async add(end: () => unknown): Promise<void> {
    if (this.ending === undefined) {
      this.ends.push(end);
      return;
    }
    await end();
    throw new Error("everything is being ended");
  }

  /** Resolves when all of it has come to its end, whatever one of them says; may be called again. */
  all(): Promise<void> {
    this.ending ??= this.eachInTurn();
    return this.ending;
  }

  private async eachInTurn(): Promise<void> {
    for (const end of this.ends.toReversed()) {
      try {
        await end();
      } catch {
        // It may have been killed; the others are still to be ended.
      }
    }
  }
}
