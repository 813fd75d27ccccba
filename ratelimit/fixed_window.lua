-- Counts in a window.
--
-- KEYS[1]  the window's count
-- ARGV[4]  cost; negative gives back
-- ARGV[5]  window in ms
-- Returns  {1 if allowed, else 0; limit; count}; the count alone if allowed under the configured limit
--
-- Refused calls count where the window is full, as in the original. What does not fit into what is
-- left is not counted: it would take the rest from smaller requests.
local cost = tonumber(ARGV[4])
if cost > limit then
  local used = tonumber(redis.call('GET', KEYS[1]) or '0')
  if used + cost > limit then
    return {0, limit, used}
  end
end
local used = redis.call('INCRBY', KEYS[1], ARGV[4])
if used == cost then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
elseif used > limit and used - cost < limit then
  redis.call('DECRBY', KEYS[1], ARGV[4])
  return {0, limit, used - cost}
end
if used <= limit and limit == tonumber(ARGV[1]) then
  return used
end
return {used <= limit and 1 or 0, limit, used}
