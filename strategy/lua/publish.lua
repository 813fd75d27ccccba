-- Stores what a service declares, and that a process stands behind it.
--
-- KEYS[1]  the sets: a sorted set of digests, by when each is forgotten (Unix ms)
-- KEYS[2]  the processes: a sorted set of "digest process", by until when each counts as alive
-- KEYS[3]  the set with this digest: a hash of "declared" (JSON) and "since" (Unix ms)
-- ARGV[1]  the digest
-- ARGV[2]  the process
-- ARGV[3]  the declarations as JSON, or '' to renew what is there
-- ARGV[4]  for how long the process counts as alive, in ms
-- ARGV[5]  for how long the set is kept, in ms
-- ARGV[6]  how many sets there may be; those that are forgotten soonest go
-- ARGV[7]  how many processes there may be; those that were not heard of for longest go
-- ARGV[8]  the digest that the process stood behind before, '' for none
-- Returns  1, or 0 if there is nothing to renew
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local keep = tonumber(ARGV[5])
if ARGV[3] == '' then
  if redis.call('HEXISTS', KEYS[3], 'declared') == 0 then
    return 0
  end
else
  redis.call('HSET', KEYS[3], 'declared', ARGV[3])
  redis.call('HSETNX', KEYS[3], 'since', string.format('%.0f', now))
end
if redis.call('PTTL', KEYS[3]) < keep then
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
end

local function put(key, member, life, limit)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  redis.call('ZADD', key, string.format('%.0f', now + life), member)
  local surplus = redis.call('ZCARD', key) - tonumber(limit)
  if surplus > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, surplus - 1)
  end
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  redis.call('PEXPIREAT', key, string.format('%.0f', tonumber(last[2])))
end
put(KEYS[1], ARGV[1], redis.call('PTTL', KEYS[3]), ARGV[6])
if ARGV[8] ~= '' and ARGV[8] ~= ARGV[1] then
  redis.call('ZREM', KEYS[2], ARGV[8] .. ' ' .. ARGV[2])
end
put(KEYS[2], ARGV[1] .. ' ' .. ARGV[2], tonumber(ARGV[4]), ARGV[7])
return 1
