--- packit: "stowed 3 crates, 9 on the quay", and at the end "packit: sealed".
local units = require "headway.units"
local M = { api = 1, name = "packit", tool = "packit", commands = { "packit" }, hints = { "stowed", "sealed" } }
M.__index = M
function M.new() return setmetatable({}, M) end

function M.feed(_, record)
  if record == "packit: sealed" then return { ended = "complete" } end
  local done, left = record:match "^stowed (%d+) crates, (%d+) on the quay$"
  if not done then return nil end -- says nothing about progress
  done, left = units.integer(done), units.integer(left)
  if not done or not left or done > math.maxinteger - left then return nil, "no count" end
  return { done = done, total = done + left, unit = "crates" }
end

return M
