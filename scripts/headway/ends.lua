--- How a run ended.
---@class headway.ends
local ends = {}

--- `M.finish` of a parser whose tool tells by its exit status whether it went well, and no more. Without a status its
--- last words count, which the parser keeps in `ended`.
---@param parser { ended: "complete"|"partial"|"failed"|nil }
---@param code? integer
---@return headway.Sample?
function ends.by_status(parser, code)
  local ended = code and (code == 0 and "complete" or "failed") or parser.ended
  return ended and { ended = ended } or nil
end

--- A last line that counts the files which came, beside `failures` of them that did not. The parser keeps `files` and
--- `ended`.
---@param parser { failures: integer, files: integer?, ended: string? }
---@param files? integer  nil: the record says no such thing
---@return headway.Sample?
function ends.summary(parser, files)
  if not files or files > math.maxinteger - parser.failures then return nil end
  parser.ended = parser.failures == 0 and "complete" or files > 0 and "partial" or "failed"
  local restart = parser.files and files < parser.files or nil
  parser.files = files
  return { done = files, total = files + parser.failures, unit = "files", restart = restart, ended = parser.ended }
end

return ends
