--- ffmpeg: its line of statistics, and -progress.
-- Seen: 5.1.9. No flags needed while it prints statistics; with -v error use -progress pipe:1 and the option
-- duration, since the length of the input is not printed then.
--     Duration: 00:00:20.00, start: 0.000000, bitrate: 393 kb/s
--   frame=  338 fps=334 q=28.0 size=       0kB time=00:00:13.53 bitrate=   0.0kbits/s speed=13.4x
--   out_time_us=13351474                      progress=continue
--   progress=end                              also where it was interrupted
--   Exiting normally, received signal 2.
-- What counts is the time of what was written, in milliseconds, of the longest input; -t, -ss, speed filters and
-- loops are not seen in a log: the option duration tells.
local duration = require "headway.duration"
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.ffmpeg : headway.Parser
---@field given boolean    the length was told
---@field total integer?   ms
---@field done integer
---@field frames integer
---@field ended string?
local M = {
  api = 1, name = "ffmpeg", tool = "ffmpeg", versions = "5.1", unit = "ms",
  commands = { "ffmpeg" },
  hints = { "Duration: ", "time=", "out_time_us=", "progress=end", "frame=", "received signal", "Conversion failed!" },
  options = {
    duration = {
      type = "integer", default = 0, min = 0, max = 1000000000,
      help = "seconds that the output will be long; 0: as long as the longest input",
    },
  },
}
M.__index = M

---@param opts { duration: integer }
function M.new(opts)
  local given = opts.duration > 0
  return setmetatable({ given = given, total = given and opts.duration * 1000 or nil, done = 0, frames = 0 }, M)
end

--- The input may be longer than it says by a frame; when it is by much, its length is no total.
---@return headway.Sample
function M:say(ms)
  self.done = math.max(self.done, ms)
  local total, done = self.total, self.done
  if total and done > total + total // 50 + 1000 then self.total, total = nil, nil end
  return {
    done = total and math.min(done, total) or done, total = total, unit = "ms",
    also = self.frames > 0 and { { done = self.frames, unit = "frames" } } or nil,
  }
end

local function ms_of(text)
  local seconds = text and duration.seconds(text)
  return seconds and math.tointeger(seconds * 1000 // 1)
end

function M:statistics(record)
  local frames = record:match "^frame= *(%d+)"
  if frames then self.frames = math.max(self.frames, units.integer(frames) or 0) end
  local at = record:find(" time=", 1, true)
  local ms = at and ms_of(record:match("^ time=(%d+:%d+:%d+%.?%d*)", at))
  return ms and self:say(ms) or nil
end

function M:other(record)
  local length = record:match "^ *Duration: (%d+:%d+:%d+%.?%d*), "
  if length then
    local ms = not self.given and ms_of(length)
    if ms and ms > 0 then self.total = math.max(self.total or 0, ms) end
    return nil
  end
  if record:find "^progress=end" then
    self.ended = self.ended or "complete"
    return { ended = self.ended }
  end
  if record:find "^Exiting normally, received signal" or record:find "^Conversion failed!" then
    self.ended = "failed"
    return { ended = "failed", message = record }
  end
  return nil
end

function M:feed(record)
  local us = record:match "^out_time_us=(%d+)$"
  us = us and units.integer(us)
  if us then return self:say(us // 1000) end
  if record:find "^frame=" or record:find "^size=" then return self:statistics(record) end
  return self:other(record)
end

M.finish = ends.by_status

return M
