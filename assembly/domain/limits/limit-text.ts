// How RateLimit-Policy lists a limit.
import { Limit } from "../policy/limit-model";
import { secondsUntil, toPico } from "../table/bucket";

/** Before the name. */
export const LITERAL_QUOTE_BYTES: u32 = 1;

/** `"daily";q=10000;w=86400`: w is in whole seconds in which an empty bucket fills; one that never does has none. */
export function limitText(limit: Limit): string {
  const windowS = secondsUntil(0, toPico(limit.maxTokens), limit.ratePico, limit.rateUs);
  return `"${limit.name}";q=${limit.maxTokens}${windowS < 0 ? "" : `;w=${windowS}`}`;
}
