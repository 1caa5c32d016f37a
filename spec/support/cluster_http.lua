--- Requests to the API server by curl; many in one go share a connection.
local cjson = require "cjson"
local shell = require "spec.support.cluster_shell"

local M = {}

---@class headway.spec.Request
---@field method string
---@field url string
---@field body? string|table  a table is sent as JSON (an empty one as `{}`)
---@field content_type? string  default: merge patch for PATCH, else JSON
---@field token? string|false  bearer token
---@field cert? string  path of a client certificate
---@field key? string  path of its key
---@field ca? string  path of the CA; nil: the server is not verified
---@field headers? table<string, string>
---@field timeout? number  seconds, default 30

---@class headway.spec.Response
---@field status? integer  nil when there was no answer
---@field error? string  curl's reason then
---@field body any  decoded when it is JSON, else the text
---@field headers table<string, string>  names in lower case

--- lua-cjson makes every number a float; counts are wanted as integers.
local function integers(value)
  if math.type(value) == "float" then return math.tointeger(value) or value end
  if type(value) == "table" then
    for k, v in pairs(value) do value[k] = integers(v) end
  end
  return value
end

---@param text string
---@return any  nil when it isn't JSON
function M.decode(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then return integers(value) end
end

--- JSON that is YAML too, which server-side apply asks for: lua-cjson writes "/" as "\/", unknown to YAML.
---@param value table
---@return string
function M.encode(value)
  return (cjson.encode(value):gsub("\\/", "/"))
end

--- One line of a curl configuration file.
local function line(name, value)
  if not value then return name .. "\n" end
  return ('%s = "%s"\n'):format(name, tostring(value):gsub('[\\"]', "\\%0"):gsub("\n", "\\n"))
end

---@param request headway.spec.Request
---@param stem string  the files of this request begin so
---@return string  its section of the configuration file
local function section(request, stem)
  local body = request.body
  if type(body) == "table" then body = M.encode(body) end
  local content_type = request.content_type
    or (request.method == "PATCH" and "application/merge-patch+json" or "application/json")
  local out = {
    line "silent", line "no-progress-meter", line("noproxy", "*"),
    line("url", request.url), line("request", request.method),
    line("output", stem .. ".out"), line("dump-header", stem .. ".head"),
    line("max-time", request.timeout or 30),
    line("write-out", "%{exitcode} %{http_code} %{errormsg}\\n"),
    request.ca and line("cacert", request.ca) or line "insecure",
  }
  if body then
    shell.write(stem .. ".in", body)
    out[#out + 1] = line("data-binary", "@" .. stem .. ".in")
    out[#out + 1] = line("header", "Content-Type: " .. content_type)
  end
  if request.token then out[#out + 1] = line("header", "Authorization: Bearer " .. request.token) end
  if request.cert then out[#out + 1] = line("cert", request.cert) .. line("key", request.key) end
  for name, value in pairs(request.headers or {}) do out[#out + 1] = line("header", name .. ": " .. value) end
  return table.concat(out)
end

---@param stem string
---@param report string  what curl said at the end of the transfer
---@return headway.spec.Response
local function response(stem, report)
  local code, status, message = report:match "^(%d+) (%d+) ?(.*)$"
  local answer = { headers = {} }
  if tonumber(status or 0) == 0 or code ~= "0" then
    answer.error = ("curl %s: %s"):format(code or "?", message or report)
    if tonumber(status or 0) == 0 then return answer end
  end
  answer.status = math.tointeger(tonumber(status))
  for name, value in (shell.read(stem .. ".head") or ""):gmatch "([%w-]+):[ \t]*([^\r\n]*)" do
    answer.headers[name:lower()] = value
  end
  local text = shell.read(stem .. ".out") or ""
  answer.body = M.decode(text)
  if answer.body == nil then answer.body = text end
  return answer
end

local count = 0

--- Sends requests one after another over one connection.
---@param dir string  for temporary files, which hold tokens
---@param requests headway.spec.Request[]
---@return headway.spec.Response[]
function M.send(dir, requests)
  count = count + 1
  local base = ("%s/curl-%d"):format(dir, count)
  local sections = {}
  for i, request in ipairs(requests) do sections[i] = section(request, ("%s.%d"):format(base, i)) end
  shell.write(base .. ".conf", table.concat(sections, "next\n"))
  local _, output = shell.run("curl -q -K " .. shell.quote(base .. ".conf"))
  local answers = {}
  for report in output:gmatch "[^\n]+" do
    answers[#answers + 1] = response(("%s.%d"):format(base, #answers + 1), report)
  end
  for i = 1, #requests do
    answers[i] = answers[i] or { headers = {}, error = "curl ended early" }
    for _, suffix in ipairs { "in", "out", "head" } do os.remove(("%s.%d.%s"):format(base, i, suffix)) end
  end
  os.remove(base .. ".conf")
  return answers
end

return M
