// What runs in the server, in Lua: one script commits, two read. Each takes all it needs as arguments: no script decides
// anything, so a change of the rules changes none of them. The first line lets a server that is full, or a replica, turn a
// write away before it has begun, and lets reads go on. Whatever a script writes to is among its keys: a cluster's node that
// does not have all of them turns it away before it has begun, too.
import { createHash } from "node:crypto";

import { KEYS, keyOf, WAKE_CHANNEL } from "./keys.js";

export interface Script {
  readonly text: string;
  readonly sha: string;
}

export const scriptOf = (text: string): Script => ({ text, sha: createHash("sha1").update(text).digest("hex") });

/** What a reply begins with, and what an error reply of a script begins with where the store is not the one it was. */
export const ANOTHER_STORE = "SLUICESTORE";

/** No text that anybody gives holds this character. */
export const POSITION = "\u0001position";

/** Takes and checks who the store is: schema and name. Leaves the index of the next argument in `at`. */
export const HEAD = `
local meta = KEYS[1]
local head = redis.call('HMGET', meta, 'schema', 'store', 'log', 'cursor')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  return redis.error_reply('${ANOTHER_STORE} ' .. (head[1] or '-') .. ' ' .. (head[2] or '-'))
end
local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end
`;

/** In `meta`. */
export const FLEET_TIME = "fleetTime";
/** In `meta`: as `beginningText` has it. Of another log it says nothing: an earlier version of this program named that one. */
export const BEGAN = "began";

/**
 * Writes down that the log begins by now: by the fleet clock as far as this server has it, and with the newest session that it has. The
 * keys are `meta` and that of all sessions.
 */
const BEGUN_BY_NOW = `
local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1] or ''
local fleetMs = redis.call('HGET', meta, '${FLEET_TIME}') or '0'
redis.call('HSET', meta, '${BEGAN}', log .. ' ' .. fleetMs .. ' ' .. newest)
`;

/** What begins a script that a full server runs as well. */
export const ALSO_FULL = "#!lua flags=allow-oom";

const COMMITTED = `
${HEAD}
local looks = {
  v = function(key) return redis.call('HGET', key, 'v') end,
  field = function(key, field) return redis.call('HGET', key, field) end,
  count = function(key) return tostring(redis.call('ZCARD', key)) end,
}
for _ = 1, tonumber(take()) do
  local kind, key, field, expected = take(), take(), take(), take()
  if (looks[kind](key, field) or '') ~= expected then return {0, head[3], head[4]} end
end
local cursor = tonumber(head[4])
local writes = {
  LOG = function(op)
    cursor = redis.call('HINCRBY', meta, 'cursor', 1)
    redis.call('XADD', '${KEYS.log}', cursor .. '-0', 'k', op[2], 's', op[3], 't', op[4])
  end,
  AUDIT = function(op)
    local number = redis.call('HINCRBY', meta, 'audited', 1)
    redis.call('XADD', '${KEYS.audit}', number .. '-0', 'e', op[2])
  end,
  DUE = function(op)
    local due = redis.call('ZRANGE', '${KEYS.createdAt}', '-inf', '(' .. op[2], 'BYSCORE', 'LIMIT', 0, op[3])
    local left = redis.call('ZCARD', '${KEYS.createdAt}') - #due
    if left >= tonumber(op[4]) then due[#due + 1] = redis.call('ZRANGE', '${KEYS.createdAt}', #due, #due)[1] end
    for _, key in ipairs(due) do
      redis.call('ZREM', '${KEYS.createdAt}', key)
      redis.call('HDEL', '${KEYS.created}', key)
    end
  end,
  FORGET = function(op)
    local at = redis.call('ZSCORE', '${KEYS.consumed}', op[2])
    if not at or tonumber(at) >= tonumber(op[3]) then return end
    redis.call('ZREM', '${KEYS.consumed}', op[2])
    redis.call('HDEL', '${keyOf.consumptions("")}' .. string.sub(op[2], 1, 36), string.sub(op[2], 37))
  end,
  REVOKE = function(op)
    local upTo = redis.call('ZREVRANGE', op[3], 0, 0)[1] or op[4]
    redis.call('HSET', '${KEYS.revocations}', op[2], string.sub(op[5], 1, -2) .. ',"upTo":"' .. upTo .. '"}')
  end,
}
for _ = 1, tonumber(take()) do
  local op = {}
  for i = 1, tonumber(take()) do
    op[i] = take()
    if op[i] == '${POSITION}' then op[i] = head[3] .. ' ' .. cursor end
  end
  local write = writes[op[1]]
  if write then write(op) else redis.call(unpack(op)) end
end
if cursor ~= tonumber(head[4]) then redis.call('PUBLISH', '${WAKE_CHANNEL}', cursor) end
return {1, head[3], tostring(cursor), redis.call('HINCRBY', meta, 'commits', 1)}
`;

/**
 * Arguments: schema, store; how many checks, each as kind, key, field, expected; how many operations, each as the number of
 * its arguments and these. An operation is a command of the server, or one of these:
 *   LOG kind id ms            an entry of the log. Its number is taken first: one that is taken twice could never be written
 *   AUDIT json
 *   DUE ms few most           few keys of creations that are older go, and one where there are most
 *   FORGET member ms          a key of a consumption, unless it was used again since
 *   REVOKE id index upTo json an operation without its upTo: that is the newest session that the index names now, or where it
 *                             names none any more the one that is given
 * An argument POSITION stands for log and cursor after all entries before it.
 * Answers [1, log, cursor, commits], or [0, log, cursor] where a check failed: then nothing was written.
 */
export const COMMIT = scriptOf(`#!lua${COMMITTED}`);
/** The same, in a server that is full as well: for what makes room, or ends sessions. */
export const COMMIT_ALSO_FULL = scriptOf(`${ALSO_FULL}${COMMITTED}`);

/**
 * Arguments: schema; which life of which server this is; a name for the log, where that life is another than the one before.
 * Another process may have been first: then nothing is written, unless it did not write down when the log began.
 */
export const BEGIN = scriptOf(`#!lua flags=allow-oom
local meta = KEYS[1]
local found = redis.call('HMGET', meta, 'schema', 'life', 'commits', 'log', '${BEGAN}')
if found[1] ~= ARGV[1] then return 0 end
local log = found[4]
if found[2] ~= ARGV[2] then
  log = ARGV[3]
  redis.call('HSET', meta, 'life', ARGV[2], 'log', log, 'commitsBefore', found[3])
elseif string.match(found[5] or '', '^%S+') == log then return 0 end
${BEGUN_BY_NOW}
return 1
`);

/** Arguments: schema, a name for the store, and for its log. Answers `made`, or what stands there: `there` or `copying`. */
export const CREATE = scriptOf(`#!lua
local meta = KEYS[1]
if redis.call('EXISTS', '${KEYS.copy}') == 1 then return 'copying' end
if redis.call('EXISTS', meta) == 1 then return 'there' end
redis.call('HSET', meta, 'schema', ARGV[1], 'store', ARGV[2], 'log', ARGV[3], 'life', '', 'cursor', 0, 'commits', 0,
  'commitsBefore', 0, 'audited', 0, 'generation', 0, 'statuses', 0)
return 'made'
`);

/**
 * Arguments: schema, store; log, ms of the fleet clock in the life of that log. The higher one stays, and is answered with the log that
 * the store has. A full server takes it as well: it is one number, and control planes that are started meanwhile go on from it.
 */
export const RAISE_FLEET_TIME = scriptOf(`${ALSO_FULL}
${HEAD}
local log, to, before = take(), take(), redis.call('HGET', meta, '${FLEET_TIME}') or '0'
if log ~= head[3] or tonumber(before) >= tonumber(to) then return {head[3], before} end
redis.call('HSET', meta, '${FLEET_TIME}', to)
return {log, to}
`);

/** Arguments: who takes it, for how many ms. Answers 1 where it is theirs now. */
export const CLAIM = scriptOf(`${ALSO_FULL}
local has = redis.call('GET', KEYS[1])
if has and has ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** Arguments: who gives it back. */
export const RELEASE = scriptOf(`${ALSO_FULL}
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);
