-- Removes one session.
--
-- KEYS[1]  the session
-- KEYS[2]  the user's generation
-- KEYS[3]  the user's index
-- ARGV[1]  hash of the session
-- ARGV[2]  revision that was read, if the session shall go only where it still counts and has this one;
--          '' for any
-- Returns  1; 0 if there is another revision by now; -1 if there is no session
if ARGV[2] ~= '' then
  local rev = live(KEYS[1], KEYS[2])
  if not rev then
    return -1
  end
  if rev ~= ARGV[2] then
    return 0
  end
end
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('UNLINK', KEYS[1]) == 0 then
  return -1
end
return 1
