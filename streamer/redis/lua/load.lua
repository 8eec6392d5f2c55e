-- Reads users and then the lane's place. If several users are too large together, returns only their size.
-- KEYS: the place, the count of saves, the users.
-- ARGV: the most bytes of several users; as MessagePack, the fields to read, by user.
local most, wanted = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2])
if #wanted > 1 then
  local bytes = 0
  for i, fields in ipairs(wanted) do
    for _, field in ipairs(fields) do
      bytes = bytes + redis.call('HSTRLEN', KEYS[2 + i], field)
    end
  end
  if bytes > most then return bytes end
end

-- Lua's unpack has a limit of its own.
local CHUNK = 4000
local rows = {}
for i, fields in ipairs(wanted) do
  local row = {}
  for first = 1, #fields, CHUNK do
    local some = redis.call('HMGET', KEYS[2 + i], unpack(fields, first, math.min(first + CHUNK - 1, #fields)))
    for j = 1, #some do row[first + j - 1] = some[j] end
  end
  rows[i] = row
end
rows[#wanted + 1] = redis.call('MGET', KEYS[1], KEYS[2])
return rows
