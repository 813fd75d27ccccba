-- Ends a writer's part in a barrier. The last one to go starts a new generation, also where its
-- barrier was lost.
--
-- KEYS[1]  the generation
-- ARGV[1]  token of the writer, 8 bytes
-- ARGV[2]  the new generation's number, 8 bytes, not zero
-- ARGV[3]  time to live in ms of the new generation
-- ARGV[4]  who does it, for people to read
-- Returns  1 if a new generation was started, 0 where others still write
local g = fetch('GET', KEYS[1])
local life = incarnation()
local now = clock()
local writers = writers_of(g, now)
local place = place_of(writers, ARGV[1])
if place and writers[place][1] == ARGV[1] then
  table.remove(writers, place)
end
local made = math.max(made_at(g, life, now) + 1, now)
if #writers > 0 then
  put_barrier(KEYS[1], writers, life, made)
  return 0
end
redis.call('SET', KEYS[1], ARGV[2] .. life .. be(made) .. ZERO .. ZERO .. ARGV[4], 'PX', ARGV[3])
return 1
