--- An HTTP or HTTPS server that plays a script, for answers that no real API server can be made to give.
---
---     lua5.4 fake_api.lua DIR     reads DIR/plan (JSON), writes DIR/port, appends a line of JSON for each request
---                                 and connection to DIR/log; ends when DIR/stop exists or after 120 s
---
--- plan: { tls = { cert, key, ca? }, answers = [ ... ], loop = true }; the n-th request gets the n-th answer, the last
--- one again and again. An answer: status, reason, headers, body, delay (seconds), hang (never answers), reset (closes with
--- RST), close (after the answer), cut (Content-Length says more than comes), raw (bytes as they are), drip (bytes each
--- 0.1 s), hang_handshake (of a whole server: accepts and stays silent). stream: a list of pieces, each a chunk of its own;
--- gap (seconds between them), hold (seconds after the last), cut (closes without the end of the body).
local cjson = require "cjson"
local socket = require "socket"

local dir = assert(arg[1], "usage: fake_api.lua DIR")

local function read(name)
  local file = io.open(dir .. "/" .. name, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local plan = cjson.decode(read "plan")
local ssl = plan.tls and require "ssl"
local log = assert(io.open(dir .. "/log", "a"))
log:setvbuf "line"
local started = socket.gettime()

local function note(event)
  event.at = socket.gettime() - started
  log:write(cjson.encode(event), "\n")
end

local listener = assert(socket.bind(plan.host or "127.0.0.1", math.tointeger(plan.port or 0)))
listener:settimeout(0)
local count = 0

local function next_answer()
  count = count + 1
  return plan.answers[math.min(count, #plan.answers)] or { status = 500 }
end

local function render(answer)
  if answer.raw then return answer.raw end
  local body = answer.body or "{}"
  if answer.pad then body = body:sub(1, -2) .. (" "):rep(answer.pad) .. "}" end
  local lines = { ("HTTP/1.1 %d %s"):format(answer.status or 200, answer.reason or "X") }
  for name, value in pairs(answer.headers or { ["Content-Type"] = "application/json" }) do
    lines[#lines + 1] = name .. ": " .. value
  end
  lines[#lines + 1] = "Content-Length: " .. (#body + (answer.cut and 1000 or 0))
  if answer.close then lines[#lines + 1] = "Connection: close" end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

---@class Client
local Client = {}
Client.__index = Client

--- Waits inside the client's coroutine until it may read on; false when the peer has gone.
function Client:more()
  while true do
    local data, err, part = self.sock:receive(8192)
    data = data or part
    if data and #data > 0 then
      self.buffer = self.buffer .. data
      return true
    end
    if err ~= "timeout" and err ~= "wantread" and err ~= "wantwrite" then return false end
    coroutine.yield()
  end
end

local function sleep(seconds)
  local till = socket.gettime() + seconds
  while socket.gettime() < till do coroutine.yield() end
end

function Client:send(data)
  local i = 1
  while i <= #data do
    local sent, err, last = self.sock:send(data, i)
    i = (sent or last or i - 1) + 1
    if not sent and err ~= "timeout" and err ~= "wantwrite" and err ~= "wantread" then return false end
    if i <= #data then coroutine.yield() end
  end
  return true
end

function Client:request()
  while not self.buffer:find("\r\n\r\n", 1, true) do
    if not self:more() then return nil end
  end
  local head, rest = self.buffer:match "^(.-)\r\n\r\n(.*)$"
  local request = { headers = {}, connection = self.id }
  request.method, request.path = head:match "^(%S+) (%S+)"
  for name, value in head:gmatch "\r\n([^:\r\n]+):%s*([^\r\n]*)" do request.headers[name:lower()] = value end
  local length = tonumber(request.headers["content-length"] or 0)
  self.buffer = rest
  while #self.buffer < length do
    if not self:more() then return nil end
  end
  request.body, self.buffer = self.buffer:sub(1, length), self.buffer:sub(length + 1)
  return request
end

function Client:handshake()
  if plan.hang_handshake then sleep(1000) end
  if not plan.tls then return true end
  local wrapped = assert(ssl.wrap(self.sock, { mode = "server", protocol = plan.tls.protocol or "any",
    certificate = plan.tls.cert, key = plan.tls.key, cafile = plan.tls.ca,
    verify = plan.tls.ca and { "peer", "fail_if_no_peer_cert" } or "none" }))
  self.sock = wrapped
  wrapped:settimeout(0)
  while true do
    local ok, err = wrapped:dohandshake()
    if ok then return true end
    if err ~= "wantread" and err ~= "wantwrite" and err ~= "timeout" then
      note { event = "handshake", error = err }
      return false
    end
    coroutine.yield()
  end
end

function Client:stream(answer)
  local head = ("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    :format(answer.status or 200)
  if not self:send(head) then return false end
  for i, piece in ipairs(answer.stream) do
    if i > 1 and answer.gap then sleep(answer.gap) end
    if not self:send(("%x\r\n%s\r\n"):format(#piece, piece)) then return false end
  end
  if answer.hold then sleep(answer.hold) end
  return not answer.cut and self:send "0\r\n\r\n"
end

function Client:answer(answer)
  if answer.hang then sleep(1000) end
  if answer.delay then sleep(answer.delay) end
  if answer.reset then
    self.sock:setoption("linger", { on = true, timeout = 0 })
    return false
  end
  if answer.stream then return self:stream(answer) end
  local data = render(answer)
  if answer.drip then
    for i = 1, #data, answer.drip do
      if not self:send(data:sub(i, i + answer.drip - 1)) then return false end
      sleep(0.1)
    end
  elseif not self:send(data) then
    return false
  end
  return not (answer.close or answer.cut or answer.raw)
end

function Client:serve()
  if self:handshake() then
    if ssl then note { event = "handshake", sni = self.sock.getsniname and self.sock:getsniname() or nil } end
    repeat
      local request = self:request()
      if request then
        request.event = "request"
        note(request)
      end
    until not request or not self:answer(next_answer())
  end
  note { event = "closed", connection = self.id }
  self.sock:close()
end

local clients, ids = {}, 0
local function accept()
  local sock = listener:accept()
  if not sock then return end
  ids = ids + 1
  sock:settimeout(0)
  sock:setoption("tcp-nodelay", true)
  local client = setmetatable({ sock = sock, buffer = "", id = ids }, Client)
  note { event = "connection", connection = ids }
  clients[#clients + 1] = coroutine.create(function() client:serve() end)
end

local out = assert(io.open(dir .. "/port.new", "w"))
out:write((select(2, listener:getsockname())))
out:close()
os.rename(dir .. "/port.new", dir .. "/port")

while socket.gettime() < started + 120 and not read "stop" do
  accept()
  for i = #clients, 1, -1 do
    local ok, err = coroutine.resume(clients[i])
    if not ok then note { event = "error", error = tostring(err) } end
    if coroutine.status(clients[i]) == "dead" then table.remove(clients, i) end
  end
  socket.sleep(0.002)
end
