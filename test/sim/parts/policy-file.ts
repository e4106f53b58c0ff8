// The file in which the operator of the simulation writes the policy, and who follows it.
import type { FollowedText } from "../../../control-plane/src/app/ports/followed-text.js";

interface Follower {
  readonly onChange: () => Promise<boolean>;
  busy: boolean;
  changed: boolean;
}

export class PolicyFile implements FollowedText {
  readonly name = "policy.yaml";
  readonly #followers = new Set<Follower>();

  constructor(public text: string) {}

  read(): Promise<string> {
    return Promise.resolve(this.text);
  }

  watch(onChange: () => Promise<boolean>): () => void {
    const follower = { onChange, busy: false, changed: false };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  save(text: string): void {
    this.text = text;
    for (const follower of this.#followers) void this.#tell(follower);
  }

  /** All processes that followed it are gone. */
  forgetFollowers(): void {
    this.#followers.clear();
  }

  /** Never twice at a time. */
  async #tell(follower: Follower): Promise<void> {
    follower.changed = true;
    if (follower.busy) return;
    follower.busy = true;
    while (follower.changed) {
      follower.changed = false;
      await follower.onChange();
    }
    follower.busy = false;
  }
}
