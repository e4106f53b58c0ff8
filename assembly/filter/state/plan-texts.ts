// The parts of the limit headers that a plan fixes, built once at configure.
import { limitText } from "../../domain/limits/limit-text";
import { Plan } from "../../domain/policy/model";
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
    this.rateLimitPolicy = utf8(limitText(plan));
    this.xLimit = utf8(plan.maxTokens.toString());
    this.nameBytes = plan.name.length;
  }

  /** The address of the plan's name. */
  get name(): usize {
    return addressOf(this.rateLimitPrefix) + 1;
  }
}
