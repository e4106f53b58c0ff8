// A field that is one of several words. The model keeps a word's position as its code.
import { quoteJson } from "../json/writer";

export class Choice {
  /** @param words in the order of their codes */
  constructor(private words: StaticArray<string>) {}

  word(code: u8): string {
    return this.words[code];
  }

  /** The word's code, or -1. */
  code(word: string): i32 {
    return this.words.indexOf(word);
  }

  /** `"deny" or "allow"` */
  describe(): string {
    const quoted: string[] = [];
    for (let i = 0; i < this.words.length; i++) quoted.push(quoteJson(this.words[i]));
    const last = quoted.pop();
    return quoted.length == 0 ? last : quoted.join(", ") + " or " + last;
  }
}
