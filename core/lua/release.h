/* release.h - which Lua is linked in, for `headway version`: "5.4.4". */
#ifndef HW_LUA_RELEASE_H
#define HW_LUA_RELEASE_H

const char *hw_lua_release(void);

#endif
