-- Removes one session.
--
-- KEYS[1]  the session
-- KEYS[2]  the user's index
-- ARGV[1]  hash of the session
-- ARGV[2]  revision that was read, '' for any
-- Returns  1; 0 if there is another revision by now; -1 if there is no session
local rev = head(KEYS[1])
if rev and ARGV[2] ~= '' and rev ~= ARGV[2] then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('UNLINK', KEYS[1]) == 0 then
  return -1
end
return 1
