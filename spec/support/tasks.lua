--- Many flows of a spec at once: each is a coroutine that waits for events; one loop asks for all of them.
---
---     local results = tasks.run { function() tasks.wait(function() return ... end, 20, "the value") end, ... }
---
--- What a flow asks for must not block for long, since nobody else is served meanwhile.
local socket = require "socket"

local NAP = 0.02 -- seconds between two rounds of questions

local M = {}

--- Seconds since some moment in the past, of the machine's clock.
M.now = socket.gettime

--- Waits until the answer is yes. Only inside of `run`.
---@generic T
---@param ask fun(): T?
---@param timeout number  seconds
---@param what? string  raises with it when the time is over; without it nil is returned
---@return T? answer
function M.wait(ask, timeout, what)
  local deadline = M.now() + timeout
  while true do
    local answer = ask()
    if answer then return answer end
    if M.now() > deadline then
      if what then error(("%s: not within %g s"):format(what, timeout), 2) end
      return nil
    end
    coroutine.yield()
  end
end

---@param seconds number
function M.sleep(seconds)
  local till = M.now() + seconds
  while M.now() < till do coroutine.yield() end
end

--- Runs all flows until each has ended.
---@param flows (fun())[]
---@return (string|false)[] errors  of each flow: false, or why it was given up
function M.run(flows)
  local errors, running = {}, {}
  for i, flow in ipairs(flows) do
    running[i] = { index = i, thread = coroutine.create(flow) }
    errors[i] = false
  end
  while #running > 0 do
    for at = #running, 1, -1 do
      local flow = running[at]
      local ok, why = coroutine.resume(flow.thread)
      if not ok then
        errors[flow.index] = type(why) == "string" and why or debug.traceback(flow.thread, tostring(why))
      end
      if coroutine.status(flow.thread) == "dead" then table.remove(running, at) end
    end
    socket.sleep(NAP)
  end
  return errors
end

return M
