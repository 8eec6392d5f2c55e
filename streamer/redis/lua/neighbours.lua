-- The nearest users on either side of each angle: the same walk as streamer.segment.neighbours.AngleIndex.
--
-- KEYS  the index
-- ARGV  [1] the part of a user's key before the user id; if empty, segments are not read
--       [2] how many users to find on each side
--       [3] as MessagePack, the users to leave out
--       [4] as MessagePack, the angles as text
--
-- Returns as MessagePack all users that were found, each once: {user id, angle, segment}. The segment is left
-- out if it is unknown.

local index, user_prefix, wanted = KEYS[1], ARGV[1], tonumber(ARGV[2])
local excluded = {}
for _, user_id in ipairs(cmsgpack.unpack(ARGV[3])) do excluded[user_id] = true end
local size = redis.call('ZCARD', index)

-- The entries of the index that were read, by rank. Each entry is read once, however many angles pass it.
local users, angles = {}, {}

-- The pages grow along one walk, because one more call costs more than one more user.
local SMALLEST, LARGEST = wanted + 1, 1000
local page_size

-- Reads the entry of this rank, and in the same page the next unread entries on the way to rank `last`.
local function read(rank, last)
  local step = rank <= last and 1 or -1
  local ends, left = rank, page_size - 1
  while ends ~= last and left > 0 and users[ends + step] == nil do ends, left = ends + step, left - 1 end
  local low = math.min(rank, ends)
  local page = redis.call('ZRANGE', index, low, math.max(rank, ends), 'WITHSCORES')
  for i = 1, #page, 2 do
    users[low + (i - 1) / 2], angles[low + (i - 1) / 2] = page[i], page[i + 1]
  end
  page_size = math.min(2 * page_size, math.max(LARGEST, SMALLEST))
end

-- By direction, from an excluded user's rank to a rank beyond it; only excluded users lie between the two.
local beyond = {[1] = {}, [-1] = {}}

-- The first rank from `rank` towards `last` whose user is not excluded; beyond `last` if there is none.
local function kept(rank, last, step)
  local jumps, from = beyond[step], rank
  while (last - rank) * step >= 0 do
    if users[rank] == nil then read(rank, last) end
    if not excluded[users[rank]] then break end
    rank = jumps[rank] or rank + step
  end
  -- The next walk along these ranks jumps directly to the end of this walk.
  while (rank - from) * step > 0 do
    jumps[from], from = rank, jumps[from] or from + step
  end
  return rank
end

-- Takes the users of ranks first to last, in this order, until `wanted` are found.
local function ascending(found, first, last)
  local rank = first
  while #found < wanted do
    rank = kept(rank, last, 1)
    if rank > last then return end
    found[#found + 1] = rank
    rank = rank + 1
  end
end

-- The same from rank last down to first. Users with one angle are equally far and must come by id, so each
-- group of one angle is entered at its smallest id.
local function descending(found, last, first)
  local rank = last
  while #found < wanted do
    rank = kept(rank, first, -1)
    if rank < first then return end
    local smallest = rank
    if rank > first then
      if users[rank - 1] == nil then read(rank - 1, first) end
      if angles[rank - 1] == angles[rank] then
        smallest = redis.call('ZCOUNT', index, '-inf', '(' .. angles[rank])
      end
    end
    ascending(found, smallest, rank)
    rank = smallest - 1
  end
end

-- Adds the users of these ranks to the answer; a user near several angles is added once.
local answer, added = {}, {}
local function add(found)
  for _, rank in ipairs(found) do
    if not added[rank] then
      added[rank] = true
      local segment = user_prefix ~= '' and redis.call('HGET', user_prefix .. users[rank], 'segment')
      answer[#answer + 1] = {users[rank], tonumber(angles[rank]), tonumber(segment)}
    end
  end
end

for _, angle in ipairs(cmsgpack.unpack(ARGV[4])) do
  -- `at` is the rank of the first user whose angle is not smaller.
  local at = redis.call('ZCOUNT', index, '-inf', '(' .. angle)
  local up, down = {}, {}
  page_size = SMALLEST
  ascending(up, at, size - 1)
  ascending(up, 0, at - 1)
  page_size = SMALLEST
  descending(down, at - 1, 0)
  descending(down, size - 1, at)
  add(up)
  add(down)
end
return cmsgpack.pack(answer)
