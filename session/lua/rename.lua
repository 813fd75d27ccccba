-- Gives a session another id, if nobody has changed it since it was read. Its life does not begin anew.
--
-- KEYS[1]  the session
-- KEYS[2]  the session under its new id
-- KEYS[3]  the user's generation
-- KEYS[4]  the user's index
-- ARGV[1]  revision that was read
-- ARGV[2]  the session, as JSON
-- ARGV[3]  idle time in ms, 0 for none
-- ARGV[4]  hash of the session
-- ARGV[5]  its new hash
-- Returns  {1, end if unused}; {0, the session} if it is another by now; {-1} if there is none
local rev, gen, expires = live(KEYS[1], KEYS[3])
if not rev then
  return {-1}
end
if rev ~= ARGV[1] then
  return {0, redis.call('GET', KEYS[1])}
end
local now = clock()
local ends = end_of(now, expires, tonumber(ARGV[3]))
redis.call('UNLINK', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'PXAT', expire_at(ends))
if gen ~= '' then
  redis.call('ZREM', KEYS[4], ARGV[4])
  enlist(KEYS[4], KEYS[3], gen, ARGV[5], ends)
end
return {1, ends}
