--- Runs busted in the interpreter that runs this file: house_lua spec/support/house_busted.lua [options]
require "busted.runner" { standalone = false }
