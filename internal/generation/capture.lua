-- Reads a generation before a load, making sure that it is there and outlives the entries that will carry it.
--
-- KEYS[1]  the generation
-- ARGV[1]  generation to set where there is none, 24 bytes
-- ARGV[2]  time to live in ms; extended when less than half is left
-- Returns  the generation
local g = redis.call('GET', KEYS[1])
if not g or #g ~= 24 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) / 2 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return g
