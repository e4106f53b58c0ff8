// What runs in the server for the status of edges: each process writes its own, and reads what others have written since. In a
// server that is full as well: a sweep, which goes on there, asks by it whether an instance may still have something to report.
import { KEYS, keyOf } from "./keys.js";
import { ALSO_FULL, HEAD, scriptOf } from "./scripts.js";

/** Of instances that are gone the latest so many are told. */
const GONE_TOLD = 1000;

/** What an entry of the index is of: kind, process and instance. Processes' names are of one length. */
const MEMBER = "kind .. process .. ' ' .. instance";

/**
 * Arguments: schema, store, the process; how many notes, each as its kind, the instance and a value: s with a status, c with
 * a cursor, g where the instance is gone.
 */
export const NOTE_STATUSES = scriptOf(`${ALSO_FULL}
${HEAD}
local process = take()
local edges, cursors = '${keyOf.edges("")}' .. process, '${keyOf.cursors("")}' .. process
local function member(kind, instance) return ${MEMBER} end
local function mark(kind, instance)
  redis.call('ZADD', '${KEYS.edgesAt}', redis.call('HINCRBY', meta, 'statuses', 1), member(kind, instance))
end
for _ = 1, tonumber(take()) do
  local kind, instance, value = take(), take(), take()
  if kind == 'g' then
    redis.call('ZREM', '${KEYS.edgesAt}', member('s', instance), member('c', instance))
    local had = redis.call('HDEL', edges, instance) + redis.call('HDEL', cursors, instance)
    if had > 0 then
      mark('g', instance)
      redis.call('RPUSH', '${KEYS.edgesGone}', member('g', instance))
      if redis.call('LLEN', '${KEYS.edgesGone}') > ${GONE_TOLD} then
        redis.call('ZREM', '${KEYS.edgesAt}', redis.call('LPOP', '${KEYS.edgesGone}'))
      end
    end
  else
    redis.call('HSET', kind == 's' and edges or cursors, instance, value)
    if redis.call('ZREM', '${KEYS.edgesAt}', member('g', instance)) == 1 then
      redis.call('LREM', '${KEYS.edgesGone}', 0, member('g', instance))
    end
    mark(kind, instance)
  end
end
return 1
`);

/** Arguments: schema, store, the process that goes. */
export const FORGET_STATUSES = scriptOf(`${ALSO_FULL}
${HEAD}
local process = take()
local function member(kind, instance) return ${MEMBER} end
for kind, key in pairs({s = '${keyOf.edges("")}' .. process, c = '${keyOf.cursors("")}' .. process}) do
  for _, instance in ipairs(redis.call('HKEYS', key)) do
    redis.call('ZREM', '${KEYS.edgesAt}', member(kind, instance))
  end
  redis.call('UNLINK', key)
end
local own = 'g' .. process .. ' '
for _, gone in ipairs(redis.call('LRANGE', '${KEYS.edgesGone}', 0, -1)) do
  if string.sub(gone, 1, #own) == own then
    redis.call('ZREM', '${KEYS.edgesAt}', gone)
    redis.call('LREM', '${KEYS.edgesGone}', 0, gone)
  end
end
redis.call('HDEL', '${KEYS.beats}', process)
return 1
`);

/**
 * Arguments: schema, store, the process that asks, a mark, at most how many. Answers a mark, 1 where there are no more, the
 * changes, each as kind, process, instance and value, and all beats.
 */
export const CHANGED_STATUSES = scriptOf(`#!lua flags=no-writes
${HEAD}
local own, after, limit = take(), tonumber(take()), tonumber(take())
local newest = tonumber(redis.call('HGET', meta, 'statuses') or '0')
if after > newest then after = 0 end
local changes, isAll = {}, 1
local page = redis.call('ZRANGE', '${KEYS.edgesAt}', '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, 1000, 'WITHSCORES')
while #page > 0 and isAll == 1 do
  for i = 1, #page, 2 do
    local kind, process, instance = string.match(page[i], '^(.)(%S+) (.*)$')
    if process ~= own then
      if #changes == limit then isAll = 0 break end
      local key = (kind == 's' and '${keyOf.edges("")}' or '${keyOf.cursors("")}') .. process
      changes[#changes + 1] = {kind, process, instance, kind ~= 'g' and redis.call('HGET', key, instance) or ''}
    end
    after = tonumber(page[i + 1])
  end
  if isAll == 1 then
    page = redis.call('ZRANGE', '${KEYS.edgesAt}', '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, 1000, 'WITHSCORES')
  end
end
return {isAll == 1 and newest or after, isAll, changes, redis.call('HGETALL', '${KEYS.beats}')}
`);
