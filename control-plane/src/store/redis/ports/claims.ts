// What only one control plane does at a time: a key that is its own until it expires, by the store's clock.
import type { Claims } from "../../../app/ports/claim-ports.js";
import { keyOf } from "../keys.js";
import { CLAIM, RELEASE } from "../scripts.js";
import type { Commits } from "../writing/commits.js";

export class RedisClaims implements Claims {
  /** @param holder names this process among all there ever were */
  constructor(
    private readonly commits: Commits,
    private readonly holder: string,
  ) {}

  async take(name: string, forMs: number): Promise<boolean> {
    return (await this.commits.script(CLAIM, keyOf.claim(name), [this.holder, String(forMs)])) === 1;
  }

  async release(name: string): Promise<void> {
    await this.commits.script(RELEASE, keyOf.claim(name), [this.holder]);
  }
}
