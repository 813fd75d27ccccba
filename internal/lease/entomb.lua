-- Drops an entry of a lower revision, and refuses such values for a while. A lease goes in any case.
--
-- KEYS[1]  the entry
-- ARGV[1]  lowest revision that may be stored, 8 bytes
-- ARGV[2]  ms for which that is remembered
-- Returns  1 if something may have been dropped, 0 where a value of this revision or a higher one stands
local now = clock()
local life = incarnation()
local e = fetch('GETEX', KEYS[1])
local revision, stale = ARGV[1], now + tonumber(ARGV[2])
if is_entry(e) then
  local stands = string.sub(e, 81, 88)
  local higher = not too_old(stands, revision, true)
  if is_barrier(e) then
    local b = barrier_of(e, now)
    b.contended, b.stale = 1, math.max(b.stale, stale)
    b.revision = higher and stands or revision
    put_barrier(KEYS[1], b, life)
    return 1
  end
  if higher and not is_placeholder(e) then
    redis.call('SETRANGE', KEYS[1], 56, ZERO .. ZERO)
    return 0
  end
  if is_tombstone(e, now) then
    stale = math.max(stale, num(e, 45))
  end
  revision = higher and stands or revision
end
redis.call('SET', KEYS[1], placeholder(4, life, stale, 0, ZERO, 0, revision), 'PXAT', expire_at(stale))
return 1
