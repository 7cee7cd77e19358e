# cmake -DIN=file -DOUT=file.inc -P bytes.cmake: a file as the numbers of its bytes, for an array of C.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE "${OUT}" "${hex}\n")
