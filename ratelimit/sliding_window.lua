-- Counts in a window, with the share of the previous one that still reaches into it.
--
-- KEYS[1]  the window's count
-- KEYS[2]  the previous window's count, unless ARGV[8] is given
-- ARGV[4]  cost; negative gives back
-- ARGV[5]  window in ms
-- ARGV[6]  expiry in ms
-- ARGV[7]  now, Unix ms
-- ARGV[8]  the previous window's count, or '' (in a cluster it lies in another slot)
-- Returns  {0; limit; count; previous count} if refused, {1; limit; what counts of both; 0} if allowed;
--          what counts of both alone if allowed under the configured limit
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
local both = weighted + used
if both > limit then
  return {0, limit, used, previous}
elseif limit == tonumber(ARGV[1]) then
  return both
end
return {1, limit, both, 0}
