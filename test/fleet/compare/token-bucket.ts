// The counter that is compared with: a token bucket in the store, asked for each request.

/** KEYS[1]: of the session; ARGV: max, tokens a second. Answers 1 where one is taken. A denial writes nothing. */
export const TOKEN_BUCKET = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local max, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local stored = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(stored[1]) or max, tonumber(stored[2]) or now
level = math.min(max, level + math.max(0, now - at) * rate / 1000000)
if level < 1 then return 0 end
redis.call('HSET', KEYS[1], 'level', level - 1, 'at', string.format('%.0f', math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(2000 * max / rate))
return 1
`;
