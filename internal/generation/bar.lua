-- Puts up a barrier for a writer, or joins the one that stands, or extends a writer's time in it. No
-- entry of the generation counts while it stands, and none is made that would.
--
-- KEYS[1]  the generation
-- ARGV[1]  token of the writer, 8 bytes
-- ARGV[2]  ms until the barrier ends unless it is extended
-- ARGV[3]  '1': extend only, where the writer still has its place
-- Returns  1 if the barrier stands for the writer, else 0
local g = fetch('GET', KEYS[1])
local life = incarnation()
local now = clock()
local deadline = now + tonumber(ARGV[2])
local writers = writers_of(g, now)
local place = place_of(writers, ARGV[1])
if ARGV[3] == '1' and not place then
  return 0
end
if ARGV[3] ~= '1' then
  if #writers < MAX_WRITERS then
    place = #writers + 1
    writers[place] = {#writers < MAX_WRITERS - 1 and ARGV[1] or OTHERS, deadline}
  end
  place = place or MAX_WRITERS
end
writers[place][2] = math.max(writers[place][2], deadline)
put_barrier(KEYS[1], writers, life, math.max(made_at(g, life, now) + 1, now))
return 1
