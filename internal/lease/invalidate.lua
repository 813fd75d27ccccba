-- Drops an entry, with the lease in it. A barrier stays, but none of its writers will store; of a
-- tombstone only the lease goes.
--
-- KEYS[1]  the entry
-- Returns  1 if there was something to drop, else 0
local e = redis.pcall('GETRANGE', KEYS[1], 0, 89)
if type(e) == 'table' then
  e = false -- of another type
end
if is_entry(e) then
  if is_barrier(e) then
    redis.call('SETRANGE', KEYS[1], 55, '\1')
    return 0
  end
  local now = clock()
  if is_tombstone(e, now) then
    give_back(KEYS[1], e, now)
    return 1
  end
end
return redis.call('UNLINK', KEYS[1])
