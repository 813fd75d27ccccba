-- Starts a new generation: every entry that carries the old one is a miss from now on, or little by little.
--
-- KEYS[1]  the generation
-- ARGV[1]  the new generation's number, 8 bytes, not zero
-- ARGV[2]  time to live in ms; never shortened
-- ARGV[3]  ms over which the entries of the old one may end; 0: at once
-- ARGV[4]  nothing is done where one was made within the last so many ms; -1: never mind
-- ARGV[5]  who does it, for people to read
-- Returns  1, or 0 where nothing was done
local g = redis.call('GET', KEYS[1])
local life = incarnation()
local now = clock()
local made = is_current(g, life) and num(g, 17) or 0
local covered = tonumber(ARGV[4])
-- A time that has not come yet is of a clock that was set back: it proves nothing.
if covered >= 0 and made <= now and made > now - covered then
  return 0
end
local previous, over = ZERO, tonumber(ARGV[3])
if over > 0 and made > 0 then
  previous = string.sub(g, 1, 8)
end
local ttl = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], ARGV[1] .. life .. be(math.max(made + 1, now)) .. previous .. be(over) .. ARGV[5],
  'PX', string.format('%.0f', ttl))
return 1
