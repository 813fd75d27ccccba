-- Counts in a window, with the share of the previous one that still reaches into it.
--
-- KEYS[1]  the window's count
-- KEYS[2]  the previous window's count, unless ARGV[8] is given
-- ARGV[4]  cost; negative gives back
-- ARGV[5]  window in ms
-- ARGV[6]  expiry in ms
-- ARGV[7]  now, Unix ms
-- ARGV[8]  the previous window's count, or '' (in a cluster it lies in another slot)
-- Returns  {1 if allowed, else 0; limit; count; previous count}
local cost, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local previous = tonumber(ARGV[8]) or tonumber(redis.call('GET', KEYS[2]) or '0')
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local weighted = math.floor((1 - (tonumber(ARGV[7]) % window) / window) * previous)
if cost > 0 and weighted + used + cost > limit then
  return {0, limit, used, previous}
end
used = redis.call('INCRBY', KEYS[1], ARGV[4])
if used == cost then
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
end
return {weighted + used <= limit and 1 or 0, limit, used, previous}
