// The parts of the limit headers that a plan fixes, built once at configure.
import { Plan } from "../../domain/policy/model";
import { MICROTOKENS_PER_TOKEN } from "../../contract";
import { addressOf, utf8 } from "../../memory/bytes";

export class PlanTexts {
  /** `"name";r=`: what RateLimit begins with. */
  rateLimitPrefix: ArrayBuffer;
  /** The whole of RateLimit-Policy: `"name";q=100;w=10`. */
  rateLimitPolicy: ArrayBuffer;
  /** The whole of X-RateLimit-Limit. */
  xLimit: ArrayBuffer;

  /** Of the plan's name, which stands in `rateLimitPrefix` behind the first quote: no block of its own. */
  nameBytes: u32;

  constructor(plan: Plan) {
    this.rateLimitPrefix = utf8(`"${plan.name}";r=`);
    this.rateLimitPolicy = utf8(`"${plan.name}";q=${plan.maxTokens}${window(plan)}`);
    this.xLimit = utf8(plan.maxTokens.toString());
    this.nameBytes = plan.name.length;
  }

  /** The address of the plan's name. */
  get name(): usize {
    return addressOf(this.rateLimitPrefix) + 1;
  }
}

/** `;w=`: whole seconds in which an empty bucket fills, rounded up; nothing for a bucket that never does. */
function window(plan: Plan): string {
  const rate = plan.ratePico;
  if (rate == 0) return "";
  const capacityMicro = <u64>plan.maxTokens * MICROTOKENS_PER_TOKEN;
  return `;w=${(capacityMicro + rate - 1) / rate}`;
}
