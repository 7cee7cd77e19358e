# cmake -DIN=page.html -DOUT=page.inc -P page.cmake: a page without comments and without blank
# space at its line ends, as the numbers of its bytes, for an array of C.
file(READ "${IN}" text)
# Brackets and semicolons mean something to CMake's lists; nothing here is one, but regular
# expressions are safe only on text without them in patterns.
string(REGEX REPLACE "<!--[^>]*-->\n" "" text "${text}")
string(REGEX REPLACE "/\\*[^*]*\\*/" "" text "${text}")
string(REGEX REPLACE "[ \t]*\n[ \t]*" "\n" text "${text}")
string(REPLACE "\n" "" text "${text}")
file(WRITE "${OUT}.text" "${text}")
file(READ "${OUT}.text" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE "${OUT}" "${hex}\n")
