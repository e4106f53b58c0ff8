// What runs in the server for a copy: a target under a mark is no store, and each page is written with its mark or not at all.
import { KEYS, keyOf } from "../keys.js";
import { FLEET_TIME, scriptOf } from "../scripts.js";

/** Of a store without a row. */
const LEFT_BEHIND = [KEYS.meta, KEYS.log, KEYS.edgesAt, KEYS.edgesGone, KEYS.beats, KEYS.plans];

/** Arguments: the mark. What a control plane that issued nothing has left goes. */
export const BEGIN_COPY = scriptOf(`#!lua
for _, process in ipairs(redis.call('HKEYS', '${KEYS.beats}')) do
  redis.call('UNLINK', '${keyOf.edges("")}' .. process, '${keyOf.cursors("")}' .. process)
end
redis.call('UNLINK', ${LEFT_BEHIND.map((key) => `'${key}'`).join(", ")})
redis.call('SET', KEYS[1], ARGV[1])
return 1
`);

const REQUIRE_COPY = `
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('EXISTS', '${KEYS.meta}') == 1 then
  return redis.error_reply('ERR this is no copy that is under way')
end
`;

/** Arguments: the mark; how many operations, each as the number of its arguments and these. AUDIT has a number too. */
export const PUT_COPIED = scriptOf(`#!lua
${REQUIRE_COPY}
local at = 1
local function take()
  at = at + 1
  return ARGV[at]
end
local last = redis.call('XREVRANGE', '${KEYS.audit}', '+', '-', 'COUNT', 1)[1]
local audited = last and tonumber(string.match(last[1], '^%d+')) or 0
for _ = 1, tonumber(take()) do
  local op = {}
  for i = 1, tonumber(take()) do op[i] = take() end
  if op[1] ~= 'AUDIT' then redis.call(unpack(op))
  elseif tonumber(op[2]) > audited then redis.call('XADD', '${KEYS.audit}', op[2] .. '-0', 'e', op[3]) end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`);

/** Arguments: schema, a name for the store, and for its log. */
export const FINISH_COPY = scriptOf(`#!lua
${REQUIRE_COPY}
local last = redis.call('XREVRANGE', '${KEYS.audit}', '+', '-', 'COUNT', 1)[1]
local audited = last and string.match(last[1], '^%d+') or '0'
local generation = 0
for _, one in ipairs(redis.call('HKEYS', '${KEYS.policies}')) do generation = math.max(generation, tonumber(one)) end
redis.call('HSET', '${KEYS.meta}', 'schema', ARGV[1], 'store', ARGV[2], 'log', ARGV[3], 'life', '', 'cursor', 0,
  'commits', 0, 'commitsBefore', 0, 'audited', audited, 'generation', generation, 'statuses', 0)
local fleetTime = redis.call('GET', '${KEYS.copiedTime}')
if fleetTime then redis.call('HSET', '${KEYS.meta}', '${FLEET_TIME}', fleetTime) end
redis.call('DEL', KEYS[1], '${KEYS.copiedTime}')
return 1
`);
