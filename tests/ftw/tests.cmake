# SecLang proven by other people's tests (README.md).
pkg_check_modules(MODSECURITY REQUIRED IMPORTED_TARGET modsecurity)
add_executable(modsec_oracle tools/modsec_oracle.c)
target_link_libraries(modsec_oracle PRIVATE embergate_flags PkgConfig::MODSECURITY)

set(FTW ${CMAKE_CURRENT_SOURCE_DIR}/ftw)
set(FTW_GATE --gate $<TARGET_FILE:embergate> --vectors ${PROJECT_SOURCE_DIR}/../shared/vectors)
set(FTW_INSPECT --inspect $<TARGET_FILE:inspect> --vectors ${PROJECT_SOURCE_DIR}/../shared/vectors)
set(FTW_ORACLE --oracle $<TARGET_FILE:modsec_oracle>)
# Generous: whoever is first compiles the rules, under sanitizers.
function(ftw_test name)
	add_test(NAME ftw/${name} COMMAND ${ARGN})
	set_tests_properties(ftw/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 PROCESSORS 2)
endfunction()
ftw_test(crs3 ${FTW}/run.py ${FTW_GATE} crs3)
ftw_test(crs4 ${FTW}/run.py ${FTW_GATE} crs4)
ftw_test(packs ${FTW}/run.py ${FTW_GATE} --packs --all crs4)
ftw_test(regression ${FTW}/regression.py ${FTW_GATE})
ftw_test(gates3 ${FTW}/gates.py ${FTW_INSPECT} gates crs3)
ftw_test(gates4 ${FTW}/gates.py ${FTW_INSPECT} gates crs4)
ftw_test(folding3 ${FTW}/gates.py ${FTW_INSPECT} --share 4 folding crs3)
ftw_test(folding4 ${FTW}/gates.py ${FTW_INSPECT} --share 16 folding crs4)
ftw_test(differential3 ${FTW}/differential.py ${FTW_GATE} ${FTW_ORACLE} crs3)
ftw_test(differential4 ${FTW}/differential.py ${FTW_GATE} ${FTW_ORACLE} crs4)
add_test(NAME ftw/crs4_all CONFIGURATIONS all COMMAND ${FTW}/run.py ${FTW_GATE} --all crs4)
add_test(NAME ftw/differential4_all CONFIGURATIONS all
	COMMAND ${FTW}/differential.py ${FTW_GATE} ${FTW_ORACLE} --all crs4)
set_tests_properties(ftw/crs4_all ftw/differential4_all PROPERTIES
	SKIP_RETURN_CODE 77 TIMEOUT 1800 PROCESSORS 2)
