-- What the scripts of barriers share; it stands behind prelude.lua.
--
-- A barrier is a generation of number zero, which equals none: its previous number is BARRED, it is
-- "over" when the last writer's time ends, and instead of a name it has 8 bytes token and 8 bytes
-- deadline for each writer. A barrier counts whatever the life of its node: better a load too many
-- than a value too old.

-- Beyond so many writers the others share one place, which only time ends.
local MAX_WRITERS = 64
local OTHERS = BARRED

-- The writers of a barrier whose time has not passed; none where g is no barrier.
local function writers_of(g, now)
  local writers = {}
  if is_barred(g, now) then
    for i = 41, #g - 15, 16 do
      local deadline = num(g, i + 8)
      if deadline > now and deadline <= now + MAX_BARRIER then
        writers[#writers + 1] = {string.sub(g, i, i + 7), deadline}
      end
    end
  end
  return writers
end

-- The place of a writer, or the shared one, or nil.
local function place_of(writers, token)
  local shared
  for i, w in ipairs(writers) do
    if w[1] == token then
      return i
    elseif w[1] == OTHERS then
      shared = i
    end
  end
  return shared
end

local function put_barrier(key, writers, life, made)
  local deadline, list = 0, {}
  for i, w in ipairs(writers) do
    deadline = math.max(deadline, w[2])
    list[i] = w[1] .. be(w[2])
  end
  redis.call('SET', key, ZERO .. life .. be(made) .. BARRED .. be(deadline) .. table.concat(list),
    'PXAT', expire_at(deadline))
end
