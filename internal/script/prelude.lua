-- What the scripts share; it stands before each of them.
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

-- What a command answers about a key, false where the key is of another type than it wants.
local function fetch(command, key)
  local v = redis.pcall(command, key)
  if type(v) == 'table' then
    return false
  end
  return v
end

local function expire_at(ms)
  return string.format('%.0f', ms)
end

-- The life of this node, 8 bytes: see conn.Conn.Incarnation. What was stored in another life (an old
-- snapshot, a replica that was promoted without the latest writes) must not count in this one.
local function incarnation()
  local info = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
  local hex = redis.sha1hex(string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)'))
  return (string.gsub(string.sub(hex, 1, 16), '%x%x', function(h) return string.char(tonumber(h, 16)) end))
end

