-- Looks up an entry and, where its value may not be used, asks for the right to load it.
--
-- KEYS[1]  the entry
-- ARGV[1]  token of the load that asks, 8 bytes, not zero
-- ARGV[2]  lease in ms
-- ARGV[3]  id of an entry that the caller rejects (wrong generation or schema), 8 bytes, or '';
--          'ahead': until when the value is fresh that is to be replaced, ms
-- ARGV[4]  'load'   wants a fresh value or the lease
--          'wait'   the same, for one who has waited for another load
--          'ahead'  wants the lease although the value is fresh
--          'set'    takes the lease from whoever holds it; the value goes
-- ARGV[5]  'set': revision of the value, 8 bytes
-- Returns  {state, now in ms, entry or false, ms that the holder has left}
--          state 0: the entry is fresh
--          state 1: granted; the entry, if any, may be served stale
--          state 2: held by another load; the entry, if any, may be served stale
--          state 3: writers have put up a barrier: load, but do not store
--          state 4: 'set': a higher revision stands, or is known to exist
--          state 5: 'wait': the load that was waited for has failed
local now = clock()
local lease, mode = tonumber(ARGV[2]), ARGV[4]
local e = fetch('GET', KEYS[1])
local life = incarnation()
local parses = is_entry(e)

if parses and is_barrier(e) and num(e, 65) > now and num(e, 65) <= now + MAX_LEASE then
  if mode == 'set' then
    -- Whose value is the later one nobody here can know, so none will be stored.
    redis.call('SETRANGE', KEYS[1], 55, '\1')
  end
  return {3, now, false, num(e, 65) - now}
end

local revision = parses and string.sub(e, 81, 88) or ZERO
if mode == 'set' and too_old(ARGV[5], revision, parses and is_tombstone(e, now)) then
  return {4, now, false, 0}
end

local known = parses and string.sub(e, 21, 28) == life
local value = known and not is_placeholder(e) and (mode == 'ahead' or string.sub(e, 13, 20) ~= ARGV[3])
local fresh = value and num(e, 37) > now
local stale = value and num(e, 45) > now

if mode ~= 'set' then
  -- One that is fresh for longer has been replaced already.
  if fresh and not (mode == 'ahead' and num(e, 37) <= tonumber(ARGV[3])) then
    return {0, now, e, 0}
  end
  local token = known and string.sub(e, 57, 64) or ZERO
  local left = known and num(e, 65) - now or 0
  if token ~= ZERO and left > 0 and left <= MAX_LEASE then
    if token == FAILED then
      if mode == 'wait' then
        return {5, now, false, left}
      end
    elseif stale or token ~= HOLD then
      -- The pause after a failed refresh concerns those only who have a value to serve.
      return {2, now, stale and e or false, left}
    end
  end
end

local deadline = now + lease
if stale and mode ~= 'set' then
  redis.call('SET', KEYS[1], string.sub(e, 1, 56) .. ARGV[1] .. be(deadline) .. string.sub(e, 73),
    'PXAT', expire_at(math.max(num(e, 45), deadline)))
  return {1, now, e, lease}
end
local tombstone = parses and is_tombstone(e, now) and num(e, 45) or 0
redis.call('SET', KEYS[1], placeholder(4, life, tombstone, 0, ARGV[1], deadline, revision),
  'PXAT', expire_at(math.max(tombstone, deadline)))
return {1, now, false, lease}
