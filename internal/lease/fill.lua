-- Stores what a load brought, if its token still stands.
--
-- KEYS[1]  the entry
-- ARGV[1]  token, 8 bytes
-- ARGV[2]  the new entry, its incarnation, its three times and its lease zero
-- ARGV[3]  time of the load's start, ms
-- ARGV[4]  ms that the value is fresh from now on
-- ARGV[5]  ms that it may be served stale after that
-- Returns  {1 if stored, else 0; now in ms}
local now = clock()
local life = incarnation()
if not held(KEYS[1], ARGV[1], life) then
  return {0, now}
end
local fresh = now + tonumber(ARGV[4])
local stale = fresh + tonumber(ARGV[5])
redis.call('SET', KEYS[1],
  string.sub(ARGV[2], 1, 20) .. life .. be(tonumber(ARGV[3])) .. be(fresh) .. be(stale) .. string.sub(ARGV[2], 53),
  'PXAT', expire_at(stale))
-- The read makes the connection of the caller track the key.
redis.call('EXISTS', KEYS[1])
return {1, now}
