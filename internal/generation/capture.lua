-- Reads a generation before a load, making sure that it is there and outlives the entries that will carry it.
--
-- KEYS[1]  the generation
-- ARGV[1]  generation to set where there is none of this life of the node, 24 bytes, its incarnation zero
-- ARGV[2]  time to live in ms; extended when less than half is left
-- Returns  the generation
local g = redis.call('GET', KEYS[1])
local life = incarnation()
if not g or #g ~= 24 or string.sub(g, 9, 16) ~= life then
  g = string.sub(ARGV[1], 1, 8) .. life .. string.sub(ARGV[1], 17)
  redis.call('SET', KEYS[1], g, 'PX', ARGV[2])
  return g
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) * 3 / 4 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return g
