-- Looks up an entry and, where its value may not be used, asks for the right to load it.
--
-- KEYS[1]  the entry
-- ARGV[1]  token of the load that asks, 8 bytes, not zero
-- ARGV[2]  lease in ms
-- ARGV[3]  id of an entry that the caller rejects (wrong generation or schema), 8 bytes, or ''
-- ARGV[4]  'load'  wants a fresh value or the lease
--          'set'   takes the lease from whoever holds it; the value goes
-- Returns  {state, now in ms, entry or false, ms that the holder has left}
--          state 0: the entry is fresh
--          state 1: granted; the entry, if any, may be served stale
--          state 2: held by another load; the entry, if any, may be served stale
-- No lease is longer than an hour: a deadline beyond that is not one of ours.
local MAX_LEASE = 3600000

local now = clock()
local lease = tonumber(ARGV[2])
local e = redis.call('GET', KEYS[1])
local life = incarnation()
local known = is_entry(e) and string.sub(e, 21, 28) == life
local value = known and not is_placeholder(e) and string.sub(e, 13, 20) ~= ARGV[3]
local stale = value and num(e, 45) > now

if ARGV[4] == 'load' then
  if value and num(e, 37) > now then
    return {0, now, e, 0}
  end
  local token = known and string.sub(e, 57, 64)
  -- The pause after a failed refresh concerns those only who have a stale value to serve.
  if known and token ~= ZERO and (stale or token ~= HOLD) then
    local left = num(e, 65) - now
    if left > 0 and left <= MAX_LEASE then
      return {2, now, stale and e or false, left}
    end
  end
end

local deadline = now + lease
if stale and ARGV[4] == 'load' then
  redis.call('SET', KEYS[1], string.sub(e, 1, 56) .. ARGV[1] .. be(deadline) .. string.sub(e, 73),
    'PXAT', expire_at(math.max(num(e, 45), deadline)))
  return {1, now, e, lease}
end
redis.call('SET', KEYS[1], 'L\1\4\0' .. ZERO .. ZERO .. life .. string.rep('\0', 28) .. ARGV[1] .. be(deadline) .. string.rep('\0', 9),
  'PXAT', expire_at(deadline))
return {1, now, false, lease}
