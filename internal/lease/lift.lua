-- Ends a writer's part in a barrier. The last one stores its value if it was alone throughout;
-- otherwise the key is invalidated.
--
-- KEYS[1]  the entry
-- ARGV[1]  token of the writer, 8 bytes
-- ARGV[2]  the new entry as in fill.lua, or '' for none
-- ARGV[3]  time at which the barrier was put up, ms
-- ARGV[4]  ms that the value is fresh from now on
-- ARGV[5]  ms that it may be served stale after that
-- Returns  {1 if stored, else 0; now in ms}
local now = clock()
local life = incarnation()
local e = fetch('GETEX', KEYS[1])
local b = barrier_of(e, now)
local place = place_of(b, ARGV[1])
local own = place and b.writers[place][1] == ARGV[1]
if own then
  table.remove(b.writers, place)
end
if #b.writers > 0 then
  b.contended = 1
  put_barrier(KEYS[1], b, life)
  return {0, now}
end
if own and b.contended == 0 and ARGV[2] ~= '' and not too_old(string.sub(ARGV[2], 81, 88), b.revision, b.stale > now) then
  local fresh = now + tonumber(ARGV[4])
  local stale = fresh + tonumber(ARGV[5])
  redis.call('SET', KEYS[1], filled(ARGV[2], life, tonumber(ARGV[3]), fresh, stale), 'PXAT', expire_at(stale))
  return {1, now}
end
if b.stale > now then
  redis.call('SET', KEYS[1], placeholder(4, life, b.stale, 0, ZERO, 0, b.revision), 'PXAT', expire_at(b.stale))
else
  redis.call('UNLINK', KEYS[1])
end
return {0, now}
