// What reads in the server: several reads of one moment.
import { KEYS } from "../keys.js";
import { HEAD, scriptOf } from "../scripts.js";
import { ROW_PREFIX } from "../stored-forms.js";

/**
 * Arguments: schema, store; how many reads, each as kind and its arguments:
 *   hash KEY          all fields
 *   fields KEY n F…   these
 *   rows KEY n F…     the same of a session's hash; all of it where one of them is a row that is missing
 *   ids KEY min max limit up|down   members of one score between two bounds, as ZRANGE BYLEX has them
 *   active KEY after id until limit   by score: members after a score and a member, up to a score, each with its score
 *   entries from limit   of the log, from an id on
 *   count KEY         how many members
 *   of                the hashes of the members that the read before gave, as: prefix of the key, 1 for all fields, 0 for v and session
 * Answers [log, cursor, one answer a read].
 */
export const READ = scriptOf(`#!lua flags=no-writes
${HEAD}
local before = {}
local function named()
  local key, names = take(), {}
  for i = 1, tonumber(take()) do names[i] = take() end
  return key, names
end
local function fields(key, names)
  local values, flat, missing = redis.call('HMGET', key, unpack(names)), {}, {}
  for i, name in ipairs(names) do
    if values[i] then
      flat[#flat + 1] = name
      flat[#flat + 1] = values[i]
    else
      missing[#missing + 1] = name
    end
  end
  return flat, missing
end
local reads = {
  hash = function() return redis.call('HGETALL', take()) end,
  fields = function() return (fields(named())) end,
  rows = function()
    local key, names = named()
    local flat, missing = fields(key, names)
    for _, name in ipairs(missing) do
      if #flat > 0 and string.sub(name, 1, 2) == '${ROW_PREFIX}' then return redis.call('HGETALL', key) end
    end
    return flat
  end,
  ids = function()
    local key, min, max, limit, way = take(), take(), take(), take(), take()
    if way == 'up' then
      before = redis.call('ZRANGE', key, min, max, 'BYLEX', 'LIMIT', 0, limit)
    else
      before = redis.call('ZRANGE', key, max, min, 'BYLEX', 'REV', 'LIMIT', 0, limit)
    end
    return before
  end,
  active = function()
    local key, after, id, untilMs, limit = take(), take(), take(), tonumber(take()), tonumber(take())
    local from = 0
    if after ~= '' then
      local rank = redis.call('ZRANK', key, id)
      if rank and tonumber(redis.call('ZSCORE', key, id)) == tonumber(after) then from = rank + 1
      else from = redis.call('ZCOUNT', key, '-inf', '(' .. after) end
    end
    local page, ids = {}, {}
    local found = redis.call('ZRANGE', key, from, from + limit - 1, 'WITHSCORES')
    while #found > 0 and #ids < limit do
      for i = 1, #found, 2 do
        local score = tonumber(found[i + 1])
        if score > untilMs or #ids == limit then found = {} break end
        if after == '' or score > tonumber(after) or found[i] > id then
          ids[#ids + 1] = found[i]
          page[#page + 1] = found[i]
          page[#page + 1] = found[i + 1]
        end
      end
      if #found > 0 then
        from = from + #found / 2
        found = redis.call('ZRANGE', key, from, from + limit - 1, 'WITHSCORES')
      end
    end
    before = ids
    return page
  end,
  entries = function() return redis.call('XRANGE', '${KEYS.log}', take(), '+', 'COUNT', take()) end,
  count = function() return redis.call('ZCARD', take()) end,
  of = function()
    local prefix, all, hashes = take(), take(), {}
    for i, id in ipairs(before) do
      if all == '1' then hashes[i] = redis.call('HGETALL', prefix .. id)
      else hashes[i] = (fields(prefix .. id, {'v', 'session'})) end
    end
    return hashes
  end,
}
local answer = {head[3], head[4]}
for i = 1, tonumber(take()) do answer[i + 2] = reads[take()]() end
return answer
`);
