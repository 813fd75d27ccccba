-- What the scripts of barriers share; it stands behind prelude.lua.
--
-- A barrier is a placeholder with a list of writers as its payload: 8 bytes token, 8 bytes deadline
-- each. The last byte of the cost is 1 where more than one writer, or another write, has been there
-- since it was put up: then nobody knows whose value is the later one, and none is stored.

-- Beyond so many writers the others share one place, which only time ends.
local MAX_WRITERS = 64
local OTHERS = HOLD

-- The barrier at a key, or an empty one. A writer whose deadline has passed leaves doubt behind.
local function barrier_of(e, now)
  local b = {writers = {}, contended = 0, revision = ZERO, stale = 0}
  if not is_entry(e) then
    return b
  end
  b.revision = string.sub(e, 81, 88)
  if is_tombstone(e, now) then
    b.stale = num(e, 45)
  end
  if is_barrier(e) then
    b.contended = string.byte(e, 56)
    for i = 91, math.min(#e, 90 + 16 * MAX_WRITERS) - 15, 16 do
      local deadline = num(e, i + 8)
      if deadline > now and deadline <= now + MAX_LEASE then
        b.writers[#b.writers + 1] = {string.sub(e, i, i + 7), deadline}
      else
        b.contended = 1
      end
    end
  end
  return b
end

-- The place of a writer in a barrier: its own, or the shared one.
local function place_of(b, token)
  local shared
  for i, w in ipairs(b.writers) do
    if w[1] == token then
      return i
    elseif w[1] == OTHERS then
      shared = i
    end
  end
  return shared
end

local function put_barrier(key, b, life)
  local deadline, payload = 0, {}
  for i, w in ipairs(b.writers) do
    deadline = math.max(deadline, w[2])
    payload[i] = w[1] .. be(w[2])
  end
  redis.call('SET', key, placeholder(12, life, b.stale, b.contended, ZERO, deadline, b.revision) .. table.concat(payload),
    'PXAT', expire_at(math.max(b.stale, deadline)))
end

