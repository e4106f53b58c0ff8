// What the control plane's answer, or an unverified admission, makes of a session's further levels. Levels travel by name:
// an annex of other limits than the plan's is made anew, and what the two have in common keeps its level.
import { ANNEX_LEVELS_AT, ANNEX_REMAINDERS_AT, ANNEX_TAG_AT, RECORD_BYTES } from "../../contract";
import { AcquireAnswer } from "../edge/acquire-answer";
import { annexLevelsOf, annexRemaindersOf, annexTagOf, setAnnexTag } from "../table/annex";
import { fromMicrotokens, refill } from "../table/bucket";
import { LimitEntry, LimitTable } from "./limit-table";

/** An annex's levels, remainders and tag as they are to be, at their offsets. */
const made: usize = memory.data(RECORD_BYTES, 8);

/**
 * The levels that an annex of the plan's limits is to have; see `putMadeLevels`. Those of the annex that is there are
 * never raised. An answer's count where the annex lacks the limit, and where the annex's own are not known to be right:
 * then the lower of the two. A limit that neither knows is full.
 * @param annex the record's, of these or of other limits; 0: it has none
 * @param names the limits that it has, in their order; null: they are not known
 * @param elapsedUs how far the record's `refilledAt` has been moved on since the annex was written
 * @param answer null: the control plane was not asked
 * @param isSure whether the annex's levels follow from all that was spent
 */
export function makeLevels(
  annex: usize,
  names: string[] | null,
  elapsedUs: u64,
  table: LimitTable,
  planIndex: u32,
  answer: AcquireAnswer | null,
  isSure: bool,
): void {
  const tag = table.tagOf(planIndex);
  const isSame = annex != 0 && annexTagOf(annex) == tag;
  const further = table.furtherOf(planIndex);
  memory.fill(made, 0, RECORD_BYTES);
  setAnnexTag(made, tag);
  for (let limit: u32 = 1; limit <= further; limit++) {
    const entry = table.limitOf(planIndex, limit);
    const name = table.nameOf(entry);
    const own = isSame ? <i32>limit - 1 : annex == 0 || names === null ? -1 : names.indexOf(name);
    const levelAt = annexLevelsOf(made) + ((limit - 1) << 3);
    const remainderAt = annexRemaindersOf(made) + ((limit - 1) << 1);
    if (own < 0) {
      store<i64>(levelAt, entry.capacity);
    } else {
      store<i64>(levelAt, load<i64>(annexLevelsOf(annex) + ((<u32>own) << 3)));
      store<u16>(remainderAt, load<u16>(annexRemaindersOf(annex) + ((<u32>own) << 1)));
      refill(levelAt, remainderAt, elapsedUs, entry.ratePico, entry.rateUs, entry.capacity);
      if (isSame && isSure) continue;
    }
    if (answer !== null) lower(levelAt, remainderAt, answer, name, entry);
  }
}

/** Puts the levels that were made last into an annex, with their tag. */
export function putMadeLevels(annex: usize): void {
  memory.copy(annex + ANNEX_LEVELS_AT, made + ANNEX_LEVELS_AT, ANNEX_REMAINDERS_AT);
  memory.copy(annexRemaindersOf(annex), annexRemaindersOf(made), REMAINDERS_BYTES);
  store<u32>(annex, load<u32>(made, ANNEX_TAG_AT), ANNEX_TAG_AT);
}

/** u16 × MAX_LIMITS_OF_PLAN. */
const REMAINDERS_BYTES: u32 = 14;

function lower(levelAt: usize, remainderAt: usize, answer: AcquireAnswer, name: string, entry: LimitEntry): void {
  const at = answer.limitNames.indexOf(name);
  if (at < 0) return;
  const answered = max(fromMicrotokens(answer.limitLevelsMicro[at]), -entry.capacity);
  if (answered >= load<i64>(levelAt)) return;
  store<i64>(levelAt, answered);
  store<u16>(remainderAt, 0);
}
