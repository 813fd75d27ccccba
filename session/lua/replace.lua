-- Replaces a session if nobody else has since it was read.
--
-- KEYS[1]  the session
-- KEYS[2]  the user's generation
-- KEYS[3]  the user's index
-- ARGV[1]  revision that was read
-- ARGV[2]  the session, as JSON
-- ARGV[3]  idle time in ms, 0 for none
-- ARGV[4]  hash of the session
-- Returns  {1, end if unused}; {0, the session} if it is another by now; {-1} if there is none
local rev, gen, expires = live(KEYS[1], KEYS[2])
if not rev then
  return {-1}
end
if rev ~= ARGV[1] then
  return {0, redis.call('GET', KEYS[1])}
end
local now = clock()
local ends = end_of(now, expires, tonumber(ARGV[3]))
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', expire_at(ends))
enlist(KEYS[3], KEYS[2], gen, ARGV[4], ends)
return {1, ends}
