-- Reads a generation before a load, making sure that it is there and outlives the entries that will carry it.
--
-- KEYS[1]  the generation
-- ARGV[1]  number of the generation to set where there is none of this life of the node, 8 bytes
-- ARGV[2]  time to live in ms; extended when less than half is left
-- Returns  {the generation, or the barrier that stands in its place, now in ms}
local g = fetch('GETEX', KEYS[1])
local life = incarnation()
local now = clock()
if is_barred(g, now) then
  return {g, now}
end
if not is_current(g, life) then
  g = ARGV[1] .. life .. be(now) .. ZERO .. ZERO
  redis.call('SET', KEYS[1], g, 'PX', ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) * 3 / 4 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
-- The read makes the connection of the caller track the key. One before the SET would have that pushed
-- back; GETEX counts as a write.
redis.call('EXISTS', KEYS[1])
return {g, now}
