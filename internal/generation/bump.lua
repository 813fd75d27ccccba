-- Starts a new generation: every entry that carries the old one is a miss from now on.
--
-- KEYS[1]  the generation
-- ARGV[1]  the new generation, 24 bytes, its incarnation zero
-- ARGV[2]  time to live in ms; never shortened
-- Returns  1
local ttl = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.sub(ARGV[1], 1, 8) .. incarnation() .. string.sub(ARGV[1], 17), 'PX', string.format('%.0f', ttl))
return 1
