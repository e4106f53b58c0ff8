// A field that is one of several words. The model keeps a word's position as its code.
import { quoteJson } from "../json/writer";

const NONE: StaticArray<string> = [];

export class Choice {
  /**
   * @param words in the order of their codes
   * @param notYet those of them that the format has and this version rejects
   */
  constructor(
    private words: StaticArray<string>,
    private notYet: StaticArray<string> = NONE,
  ) {}

  word(code: u8): string {
    return this.words[code];
  }

  /** The word's code, or -1; also for a word that is not available yet. */
  code(word: string): i32 {
    return this.words.indexOf(word);
  }

  isNotYet(word: string): bool {
    return this.notYet.includes(word);
  }

  /** `"deny" or "allow"`: what may stand in a policy today. */
  describe(): string {
    const quoted: string[] = [];
    for (let i = 0; i < this.words.length; i++) {
      if (!this.isNotYet(this.words[i])) quoted.push(quoteJson(this.words[i]));
    }
    const last = quoted.pop();
    return quoted.length == 0 ? last : quoted.join(", ") + " or " + last;
  }
}
