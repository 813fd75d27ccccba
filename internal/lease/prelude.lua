-- What the scripts of the lease share; it stands before each of them.

local ZERO = '\0\0\0\0\0\0\0\0'

-- The token of a pause after a failed refresh: nobody loads, and nobody shall try yet.
local HOLD = '\255\255\255\255\255\255\255\255'

-- Whether package entry would parse the header: flags that it knows, times in order and in reach.
local function is_entry(e)
  if not e or #e < 81 or string.sub(e, 1, 2) ~= 'L\1' then
    return false
  end
  local flags = string.byte(e, 3)
  return (flags == 0 or flags == 2 or flags == 4 or flags == 6) and string.byte(e, 4) == 0
    and num(e, 37) <= num(e, 45) and num(e, 45) < 9007199254740992
end

local function is_placeholder(e)
  return math.floor(string.byte(e, 3) / 4) % 2 == 1
end

-- The entry at key, if the load with this token still holds it. GETEX without options only reads, but
-- counts as a write: any other read would make the connection track the key, and the write that
-- follows would be pushed back to it.
local function held(key, token, life)
  local e = redis.call('GETEX', key)
  if is_entry(e) and string.sub(e, 57, 64) == token and string.sub(e, 21, 28) == life then
    return e
  end
end

