-- What all scripts of the lease share; it stands before each of them.
-- Times are Unix milliseconds of this server, words are 8 bytes, big-endian.

local function num(s, i)
  local a, b, c, d, e, f, g, h = string.byte(s, i, i + 7)
  return ((((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f) * 256 + g) * 256 + h
end

local function be(n)
  local out = {}
  for i = 8, 1, -1 do
    out[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(out)
end

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function expire_at(ms)
  return string.format('%.0f', ms)
end

-- The entry at key, if the load with this token still holds it. GETEX without options only reads, but
-- counts as a write: any other read would make the connection track the key, and the write that
-- follows would be pushed back to it.
local function held(key, token)
  local head = redis.call('GETEX', key)
  if head and #head >= 81 and string.sub(head, 1, 2) == 'L\1' and string.sub(head, 57, 64) == token then
    return head
  end
end

local function is_placeholder(head)
  return math.floor(string.byte(head, 3) / 4) % 2 == 1
end

