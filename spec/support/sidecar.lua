--- `headway run` with JSON lines, and parsers of one's own, for specs of its sources.
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

---@class headway.spec.Sidecar
---@field p headway.spec.Process
local Sidecar = {}
Sidecar.__index = Sidecar

---@param env table<string, string>
---@param ... string  flags
---@return headway.spec.Sidecar
function M.start(env, ...)
  return setmetatable({ p = process.start({ process.headway, "run", "-o", "json", ... }, env) }, Sidecar)
end

--- What was published so far.
---@return table[]
function Sidecar:lines()
  local list = {}
  for line in self.p:out():gmatch "([^\n]+)\n" do list[#list + 1] = cjson.decode(line) end
  return list
end

--- Waits for a published line that fits: a value, or a function of the line.
---@return table line
function Sidecar:await(fits, timeout)
  local function is(line) if type(fits) == "string" then return line.progress == fits end return fits(line) end
  local line = shell.wait_until(function()
    for _, line in ipairs(self:lines()) do
      if is(line) then return line end
    end
  end, timeout or 20)
  return assert(line, tostring(fits) .. " did not come:\n" .. self.p:out() .. self.p:err())
end

--- Waits for a reason, as a pattern.
function Sidecar:await_reason(pattern, timeout)
  return self:await(function(line) return (line.reason or ""):find(pattern) end, timeout)
end

--- Ends it as Kubernetes does.
---@return table last  line that was published
function Sidecar:stop()
  self.p:kill "TERM"
  assert(self.p:wait(10) == 0, self.p:err())
  local all = self:lines()
  return all[#all]
end

function Sidecar:close() self.p:close() end

--- Writes a parser and returns its path. body: of feed(self, record); `self` is empty at first.
---@param dir string
---@param name string
---@param body string
---@return string path
function M.parser(dir, name, body)
  local path = ("%s/%s.lua"):format(dir, name)
  shell.write(path, ([[
local M = { api = 1, name = "%s", unit = "files" }
M.__index = M
function M.new(opts) return setmetatable({ opts = opts }, M) end
function M:feed(record)
%s
end
return M
]]):format(name, body))
  return path
end

return M
