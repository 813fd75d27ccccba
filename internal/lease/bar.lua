-- Puts up a barrier for a writer, or joins the one that stands, or extends a writer's time in it.
-- The value, and the lease of a load, go.
--
-- KEYS[1]  the entry
-- ARGV[1]  token of the writer, 8 bytes
-- ARGV[2]  ms until the barrier ends unless it is extended
-- ARGV[3]  '1': extend only, where the writer still has its place
-- Returns  {1 if the barrier stands for the writer, else 0; now in ms}
local now = clock()
local deadline = now + tonumber(ARGV[2])
local b = barrier_of(fetch('GETEX', KEYS[1]), now)
local place = place_of(b, ARGV[1])
if ARGV[3] == '1' and not place then
  return {0, now}
end
if ARGV[3] ~= '1' then
  if #b.writers > 0 then
    b.contended = 1
  end
  if #b.writers < MAX_WRITERS then
    place = #b.writers + 1
    b.writers[place] = {#b.writers < MAX_WRITERS - 1 and ARGV[1] or OTHERS, deadline}
  end
  place = place or MAX_WRITERS
end
b.writers[place][2] = math.max(b.writers[place][2], deadline)
put_barrier(KEYS[1], b, incarnation())
return {1, now}
