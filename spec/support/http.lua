--- A raw HTTP client for specs: sends any bytes, and reads what comes back as answers. And the http room behind a command.
local process = require "spec.support.process"
local socket = require "socket"

local M = {}

---@class headway.spec.HttpClient
local Client = {}
Client.__index = Client

---@param port integer
---@param ca? string  a file: TLS, whose other side must show a certificate of it
---@return headway.spec.HttpClient
function M.connect(port, ca)
  local s = assert(socket.connect("127.0.0.1", port))
  s:settimeout(20)
  s:setoption("tcp-nodelay", true)
  if ca then
    s = assert(require("ssl").wrap(s, { mode = "client", protocol = "any", verify = "peer", cafile = ca }))
    assert(s:dohandshake())
  end
  return setmetatable({ s = s, rest = "", patience = 20 }, Client)
end

---@param bytes string
---@return headway.spec.HttpClient
function Client:send(bytes)
  self.s:send(bytes) -- a server that has closed is for the reading to tell
  return self
end

--- Says that no more is sent.
function Client:half_close()
  self.s:shutdown "send"
  return self
end

--- Reads what is there, once something is.
---@return boolean more
---@return string? why  "closed", "timeout"
function Client:more()
  if not (self.s.dirty and self.s:dirty()) and not socket.select({ self.s }, nil, self.patience)[1] then return false, "timeout" end
  self.s:settimeout(0)
  local bytes, why, partial = self.s:receive(65536)
  self.s:settimeout(20)
  self.rest = self.rest .. (bytes or partial)
  return bytes ~= nil or partial ~= "", why
end

--- Reads until text ends with `pattern`'s match or the server closes.
---@return string? text  up to the end of the match; nil when it closed before
function Client:read_until(pattern)
  while true do
    local _, to = self.rest:find(pattern)
    if to then
      local text = self.rest:sub(1, to)
      self.rest = self.rest:sub(to + 1)
      return text
    end
    if not self:more() then return nil end
  end
end

--- The bytes that are still to come until the server closes.
---@return string? bytes  nil: it does not close
---@return string? why    "closed"
function Client:drain()
  local bytes, why, partial = self.s:receive "*a"
  local all = self.rest .. (bytes or partial or "")
  self.rest = ""
  if why == "timeout" or why == "wantread" then return nil end
  return all, "closed"
end

--- The next answer.
---@param head_only? boolean  of a HEAD
---@return { status: integer, headers: table<string, string>, body: string }?
function Client:answer(head_only)
  local head = self:read_until "\r\n\r\n"
  if not head then return nil end
  local a = { status = math.tointeger(tonumber(head:match "^HTTP/1%.1 (%d%d%d) ")), headers = {}, body = "", head = head }
  for name, value in head:gmatch "\r\n([^:\r\n]+): ([^\r\n]*)" do a.headers[name:lower()] = value end
  local length = tonumber(a.headers["content-length"])
  if not length or head_only then return a end
  if #self.rest < length then
    local bytes, why, partial = self.s:receive(math.tointeger(length) - #self.rest)
    self.rest = self.rest .. (bytes or partial)
    if not bytes then error(("the body ends after %d of %d bytes: %s"):format(#self.rest, length, why)) end
  end
  a.body = self.rest:sub(1, math.tointeger(length))
  self.rest = self.rest:sub(math.tointeger(length) + 1)
  return a
end

function Client:close() self.s:close() end

--- One request on a connection of its own.
---@param port integer
---@param path string
---@param method? string
function M.get(port, path, method)
  local c = M.connect(port)
  c:send(("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(method or "GET", path))
  local a = c:answer(method == "HEAD")
  c:close()
  return a
end

--- The http room behind a command (spec/unit/http_probe.c).
---@param connections? integer
---@param hurry? integer
---@param dir? string  with cert and key: TLS
function M.probe(connections, hurry, dir)
  local build = os.getenv "HEADWAY_BUILD" or "build/plain"
  local p = process.start { build .. "/http_probe", connections or 0, hurry or 0, "127.0.0.1:0",
    dir and dir .. "/cert", dir and dir .. "/key" }
  p.port = assert(math.tointeger(tonumber(p:expect("out", "port (%d+)"))))
  return p
end

return M
