-- What the scripts of the lease share; it stands before each of them.

local ZERO = '\0\0\0\0\0\0\0\0'

-- Tokens of nobody. HOLD: a refresh has failed, and nobody shall try yet. FAILED: a load has failed,
-- and those who waited for it shall not wait for the next one.
local HOLD = '\255\255\255\255\255\255\255\255'
local FAILED = '\255\255\255\255\255\255\255\254'

-- No lease or barrier is longer than an hour: a deadline beyond that is not one of ours.
local MAX_LEASE = 3600000

-- Whether package entry would parse the header: flags that it knows, times in order and in reach.
local function is_entry(e)
  if not e or #e < 90 or string.sub(e, 1, 2) ~= 'L\1' then
    return false
  end
  local flags = string.byte(e, 3)
  return (flags < 8 or flags >= 12 and flags < 16) and flags % 2 == 0 and string.byte(e, 4) == 0
    and num(e, 37) <= num(e, 45) and num(e, 45) < 9007199254740992
end

local function is_placeholder(e)
  return math.floor(string.byte(e, 3) / 4) % 2 == 1
end

-- A barrier counts whatever the life of its node: better a load too many than a value too old.
local function is_barrier(e)
  return string.byte(e, 3) >= 8
end

-- A placeholder that remembers the lowest revision to be stored.
local function is_tombstone(e, now)
  return is_placeholder(e) and num(e, 45) > now
end

-- Whether a value of revision a must not be stored where b is known. A value without revision is not
-- compared with others, but does not get past a tombstone.
local function too_old(a, b, tombstone)
  if a == ZERO and not tombstone then
    return false
  end
  for i = 1, 8 do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return false
end

-- An entry without value. stale is the end of its tombstone, 0 for none.
local function placeholder(flags, life, stale, contended, token, deadline, revision)
  return 'L\1' .. string.char(flags) .. '\0' .. ZERO .. ZERO .. life .. ZERO .. ZERO .. be(stale)
    .. '\0\0\0' .. string.char(contended) .. token .. be(deadline) .. ZERO .. revision .. '\0\0'
end

-- The entry at key, if the load with this token still holds it. GETEX without options only reads, but
-- counts as a write: any other read would make the connection track the key, and the write that
-- follows would be pushed back to it.
local function held(key, token, life)
  local e = fetch('GETEX', key)
  if is_entry(e) and not is_barrier(e) and string.sub(e, 57, 64) == token and string.sub(e, 21, 28) == life then
    return e
  end
end

-- Takes the lease out of an entry; a placeholder that is no tombstone goes.
local function give_back(key, e, now)
  if is_placeholder(e) and not is_tombstone(e, now) then
    redis.call('DEL', key)
    return
  end
  redis.call('SETRANGE', key, 56, ZERO .. ZERO)
  redis.call('PEXPIREAT', key, expire_at(num(e, 45)))
end

-- The entry that a fill stores: what the caller has encoded, completed by what only the node knows.
local function filled(raw, life, loaded_at, fresh, stale)
  return string.sub(raw, 1, 20) .. life .. be(loaded_at) .. be(fresh) .. be(stale) .. string.sub(raw, 53)
end

