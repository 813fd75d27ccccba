-- Starts a new generation: every entry that carries the old one is a miss from now on, or little by little.
-- Where a barrier stands no entry counts anyway, and who lifts it starts one.
--
-- KEYS[1]  the generation
-- ARGV[1]  the new generation's number, 8 bytes, not zero
-- ARGV[2]  time to live in ms; never shortened
-- ARGV[3]  ms over which the entries of the old one may end; 0: at once
-- ARGV[4]  number of the one to replace, 8 bytes, or '' for whichever: nothing is done where there is
--          another, and nothing of the one before it counts
-- ARGV[5]  who does it, for people to read
-- Returns  1, or 0 where nothing was done
local g = fetch('GET', KEYS[1])
local life = incarnation()
local now = clock()
if is_barred(g, now) then
  return 1
end
local made = made_at(g, life, now)
if ARGV[4] ~= '' and made > 0 and string.sub(g, 1, 8) ~= ARGV[4] and string.sub(g, 25, 32) == ZERO then
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
