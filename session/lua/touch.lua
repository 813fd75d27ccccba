-- Puts off the end of a session that is used, without rewriting it.
--
-- KEYS[1]  the session
-- KEYS[2]  the user's generation
-- KEYS[3]  the user's index
-- ARGV[1]  idle time in ms, 0 for none
-- ARGV[2]  hash of the session
-- Returns  the end if unused, or 0 if there is no session
local rev, gen, expires = live(KEYS[1], KEYS[2])
if not rev then
  return 0
end
local ends = end_of(clock(), expires, tonumber(ARGV[1]))
redis.call('PEXPIREAT', KEYS[1], expire_at(ends))
enlist(KEYS[3], KEYS[2], gen, ARGV[2], ends)
return ends
