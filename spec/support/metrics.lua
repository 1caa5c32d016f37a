--- The metrics of a hub that knows so many operations, without a server (spec/unit/metrics_probe.c).
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

local CONFIG = [[
current-context: x
contexts: [ { name: x, context: { cluster: c, user: u } } ]
clusters: [ { name: c, cluster: { server: "http://127.0.0.1:9" } } ]
users: [ { name: u, user: { token: abc } } ]
]]

--- A third of the operations goes on, a third has failed, a third is complete.
---@param operations integer
---@param shown integer  that have metrics of their own, at most
---@return string text
---@return table cost  steps, bytes; begin, longest, sum: milliseconds
function M.render(operations, shown)
  local dir = process.temp_dir()
  shell.write(dir .. "/config", CONFIG)
  local p = process.start { (os.getenv "HEADWAY_BUILD" or "build/plain") .. "/metrics_probe", dir .. "/config", operations, shown }
  local status, text, err = p:wait(60), p:out(), p:err()
  p:close()
  process.remove(dir)
  assert(status == 0, err)
  return text, cjson.decode(err:match "{[^\n]*}\n$")
end

return M
