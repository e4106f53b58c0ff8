// The limits of a policy's plans as requests spend from them: numbers and bytes in a few arrays, made when a policy comes
// into force. The garbage collector, which runs after every answer of the control plane, visits each object that
// is kept: 1,000 plans with 7 limits would be 7,000.
import { LITERAL_QUOTE_BYTES } from "./limit-text";

/** One bucket of a plan. Limit 0 is its own, the further ones follow in the order of their names. */
@unmanaged
export class LimitEntry {
  /** Picotokens. */
  capacity: i64;
  /** P and Q of its rate (bucket.ts). */
  ratePico: u64;
  rateUs: u32;
  /** Whole tokens: the capacity. */
  maxTokens: u32;
  /** For a further limit: the index of its name in `Policy.limitNames`. */
  nameId: u32;
  /** Whether every request spends from it, whatever its route says. */
  applies: u32;
  /** Address of its item in RateLimit-Policy: `"daily";q=10000;w=86400`. */
  text: usize;
  textBytes: u32;
  nameBytes: u32;

  /** Address of its name, which stands in the text behind the quote. */
  @inline
  get name(): usize {
    return this.text + LITERAL_QUOTE_BYTES;
  }
}

export const LIMIT_BYTES: u32 = (<u32>offsetof<LimitEntry>() + 7) & ~7;

// Of each plan, PLAN_WORDS numbers; all are 0 where its sessions have no annex: `limitOf` is then no address.
//
// plans:  of each plan: address of its first limit | number of further ones | tag | address of RateLimit-Policy where a
//         route says nothing of limits by name | bytes | scope
export const PLAN_WORDS: u32 = 6;

export class LimitTable {
  plans: StaticArray<u32> = new StaticArray<u32>(0);
  limits: StaticArray<u8> = new StaticArray<u8>(0);
  /** All texts, end to end. */
  text: StaticArray<u8> = new StaticArray<u8>(0);

  /** How many limits the plan has beside its own bucket. */
  @inline
  furtherOf(planIndex: u32): u32 {
    return unchecked(this.plans[planIndex * PLAN_WORDS + 1]);
  }

  /** NO_TAG (limits-tag.ts) where its sessions have no annex: then this table has nothing of it. */
  @inline
  tagOf(planIndex: u32): u32 {
    return unchecked(this.plans[planIndex * PLAN_WORDS + 2]);
  }

  /** Whether an edge spends from leases: its limits gain nothing here. */
  @inline
  isFleet(planIndex: u32): bool {
    return unchecked(this.plans[planIndex * PLAN_WORDS + 5]) != 0;
  }

  /** The texts of those that every request spends from, as RateLimit-Policy lists them. */
  @inline
  listOf(planIndex: u32): usize {
    return unchecked(this.plans[planIndex * PLAN_WORDS + 3]);
  }


  @inline
  listBytesOf(planIndex: u32): u32 {
    return unchecked(this.plans[planIndex * PLAN_WORDS + 4]);
  }

  /** Its limit of this number, from 0; the next one follows at LIMIT_BYTES. */
  @inline
  limitOf(planIndex: u32, limit: u32): LimitEntry {
    return changetype<LimitEntry>(<usize>unchecked(this.plans[planIndex * PLAN_WORDS]) + limit * LIMIT_BYTES);
  }

  /** Where all limits of the policy are counted one after the other. */
  @inline
  numberOf(entry: LimitEntry): u32 {
    return <u32>(changetype<usize>(entry) - changetype<usize>(this.limits)) / LIMIT_BYTES;
  }

  get planCount(): u32 {
    return this.plans.length / PLAN_WORDS;
  }

  /** How many limits all plans have that stand in this table. */
  get count(): u32 {
    return this.limits.length / LIMIT_BYTES;
  }

  /** The reverse of `numberOf`. */
  entryNumbered(number: u32): LimitEntry {
    return changetype<LimitEntry>(changetype<usize>(this.limits) + number * LIMIT_BYTES);
  }

  /** The index of the plan that a limit is one of. */
  planOf(entry: LimitEntry): u32 {
    const plans = this.planCount;
    for (let plan: u32 = 0; plan < plans; plan++) {
      const further = this.furtherOf(plan);
      const first = changetype<usize>(this.limitOf(plan, 0));
      const at = changetype<usize>(entry);
      if (first != 0 && at >= first && at <= first + further * LIMIT_BYTES) return plan;
    }
    return 0;
  }

  /** The number of the plan's limit of this name; 0: the plan's own bucket, whose name is empty here, or there is none. */
  bucketNamed(planIndex: u32, name: string): u32 {
    const further = this.furtherOf(planIndex);
    for (let limit: u32 = 1; limit <= further; limit++) {
      if (this.nameOf(this.limitOf(planIndex, limit)) == name) return limit;
    }
    return 0;
  }

  /** Its name as a managed string. */
  nameOf(entry: LimitEntry): string {
    return String.UTF8.decodeUnsafe(entry.name, entry.nameBytes);
  }
}
