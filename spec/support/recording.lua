--- Recordings of real tools (spec/recordings): asciicast v2 with timing (.cast), the same bytes raw (.log).
local cjson = require "cjson"
local source = require("headway_core").source

local M = { dir = "spec/recordings/" }

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

--- The raw bytes of a recording, e.g. "rsync/progress2-inc-pipe".
function M.bytes(name) return slurp(M.dir .. name .. ".log") end

--- The names of the recordings, sorted: all of them, or in the sanitized build a third, another one each day (HEADWAY_RECORDINGS_ALL=1: all).
function M.names()
  local step = os.getenv "HEADWAY_PRESET" == "dev" and not os.getenv "HEADWAY_RECORDINGS_ALL" and 3 or 1
  local list, n, pipe = {}, os.time() // 86400 % step, assert(io.popen("cd " .. M.dir .. " && find . -name '*.log' | sort"))
  for path in pipe:lines() do
    if n % step == 0 then list[#list + 1] = path:match "^%./(.*)%.log$" end
    n = n + 1
  end
  pipe:close()
  return list
end

local known = { events = {}, records = {} } -- many a spec takes them again and again

--- What the tool wrote and when: list of { seconds, bytes }, to be read only.
function M.events(name)
  local events = known.events[name]
  if events then return events end
  events = {}
  for line in slurp(M.dir .. name .. ".cast"):gmatch "[^\n]+" do
    local event = cjson.decode(line)
    if event[2] == "o" then events[#events + 1] = { event[1], event[3] } end
  end
  known.events[name] = events
  return events
end

--- Its records, in the order given, with .at = the second in which each was given; to be read only.
---@param pauses boolean? false: as if the tool had never paused
function M.records(name, pauses, record_max)
  local key = ("%s %s %s"):format(name, pauses ~= false, record_max)
  if known.records[key] then return known.records[key] end
  local framer, list, at = source.records(record_max), {}, 0
  local function add(records)
    for _, record in ipairs(records) do
      record.at = at
      list[#list + 1] = record
    end
  end
  for _, event in ipairs(M.events(name)) do
    if pauses ~= false and (event[1] - at) * 1000 >= source.PAUSE_MS then
      at = at + source.PAUSE_MS / 1000
      add(framer:pause())
    end
    at = event[1]
    add(framer:feed(event[2]))
  end
  add(framer:finish())
  known.records[key] = list
  return list
end

return M
