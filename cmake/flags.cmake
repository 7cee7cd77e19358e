# How our own C is compiled. Third-party sources (llhttp) bring their own flags.
add_library(embergate_flags INTERFACE)
target_include_directories(embergate_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(embergate_flags INTERFACE _GNU_SOURCE EMBERGATE_VERSION="${PROJECT_VERSION}")
target_compile_options(embergate_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
	-UNDEBUG # asserts guard our own contracts, in every build
	-include ${PROJECT_SOURCE_DIR}/base/banned.h)

# -DEMBERGATE_SANITIZE=address,undefined
if(EMBERGATE_SANITIZE)
	add_compile_options(-fsanitize=${EMBERGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${EMBERGATE_SANITIZE})
endif()
if(EMBERGATE_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
	add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2)
	add_link_options(-Wl,-z,relro,-z,now)
endif()
