-- Stores what a load brought, if its token still stands.
--
-- KEYS[1]  the entry
-- ARGV[1]  token, 8 bytes
-- ARGV[2]  the new entry, its incarnation, its three times and its lease zero
-- ARGV[3]  time of the load's start, ms
-- ARGV[4]  ms that the value is fresh from now on
-- ARGV[5]  ms that it may be served stale after that
-- Returns  {1 if stored, 2 if a higher revision is known to exist, else 0; now in ms}
-- Where the source is behind what stands here, nobody asks it again for a second.
local BEHIND = 1000

local now = clock()
local life = incarnation()
local head = held(KEYS[1], ARGV[1], life)
if not head then
  return {0, now}
end
if too_old(string.sub(ARGV[2], 81, 88), string.sub(head, 81, 88), is_tombstone(head, now)) then
  if is_placeholder(head) then
    give_back(KEYS[1], head, now)
  else
    redis.call('SETRANGE', KEYS[1], 56, HOLD .. be(now + BEHIND))
    redis.call('PEXPIREAT', KEYS[1], expire_at(num(head, 45)))
  end
  return {2, now}
end
local fresh = now + tonumber(ARGV[4])
local stale = fresh + tonumber(ARGV[5])
redis.call('SET', KEYS[1], filled(ARGV[2], life, tonumber(ARGV[3]), fresh, stale), 'PXAT', expire_at(stale))
-- The read makes the connection of the caller track the key.
redis.call('EXISTS', KEYS[1])
return {1, now}
