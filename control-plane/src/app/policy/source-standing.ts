// What became of the text that stands in the source, and which stored generation it is: where control planes share a store, a
// text that another generation has replaced is no new decision (docs/decisions/0077-two-followers-of-one-policy.md).
import type { AcceptedPolicy } from "../ports/policy-ports.js";
import { GENERATIONS_KEPT } from "./generations-kept.js";
import { stored } from "./policy-steps.js";
import type { PolicyServiceParts } from "./policy-steps.js";

/** taken: it is a decision, of this process or of another one. */
export type Became = "taken" | "held" | "rejected";

export class SourceStanding {
  became: Became = "taken";
  /** Undefined: no policy can be read out of it, or nothing was decided on it yet. */
  private text: AcceptedPolicy | undefined;

  /** @param generation the one that the text in the source was last; texts are looked for from it on. 0: not known */
  constructor(
    private readonly parts: PolicyServiceParts,
    private generation: number,
  ) {}

  /** It was decided on. `generation`: the one that it is, undefined where it is none. */
  settled(became: Became, text: AcceptedPolicy | undefined, generation?: number): void {
    this.became = became;
    this.text = text;
    if (generation !== undefined) this.generation = generation;
  }

  /** Whether what stands there says the same as this canonical JSON. */
  says(policyJson: string): boolean {
    return this.text?.policyJson === policyJson;
  }

  /** What stands there, where it was taken and says another thing than this canonical JSON. */
  takenOtherThan(policyJson: string): AcceptedPolicy | undefined {
    return this.became === "taken" && !this.says(policyJson) ? this.text : undefined;
  }

  /**
   * The newest stored generation below `below` that says the same; undefined where there is none, or only from before the
   * one that the source said last: then it is a new decision. @throws StoreFailure
   */
  async generationOf(policyJson: string, below: number): Promise<number | undefined> {
    return (await knownAs(this.parts, policyJson, { below, from: this.generation }))?.generation;
  }
}

export interface Range {
  /** The newest one that is looked at is the one before it. */
  readonly below: number;
  readonly from: number;
}

/**
 * Stored JSON is compared as this version would write it: an earlier one had fewer fields with defaults. One generation is
 * read and validated at a time, so that others get their turn. @throws StoreFailure
 */
export async function knownAs(parts: PolicyServiceParts, policyJson: string, { below, from }: Range) {
  const oldest = Math.max(from, 1, below - GENERATIONS_KEPT);
  for (let generation = below - 1; generation >= oldest; generation--) {
    const found = await stored(parts, generation);
    if (found?.policyJson === policyJson) return found;
  }
  return undefined;
}
