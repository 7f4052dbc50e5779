# Helpers of this build: one static library per folder of src/, its unit tests beside its sources.

add_library(bowsprit_options INTERFACE)
target_include_directories(bowsprit_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(bowsprit_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wswitch-enum
  -Wno-missing-field-initializers # designated initialisers leave the rest at its default on purpose
  -fno-omit-frame-pointer $<$<BOOL:${BOWSPRIT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(bowsprit_options INTERFACE -fpch-preprocess) # lets ccache see through the precompiled header
endif()
target_compile_definitions(bowsprit_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS> BOOST_ERROR_CODE_HEADER_ONLY)
if(BOWSPRIT_SANITIZE)
  target_compile_options(bowsprit_options INTERFACE -fsanitize=${BOWSPRIT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(bowsprit_options INTERFACE -fsanitize=${BOWSPRIT_SANITIZE})
endif()
target_link_libraries(bowsprit_options INTERFACE fmt::fmt Threads::Threads)

# The heavy headers that most files need, compiled once and shared by every library of the same flags.
add_library(bowsprit_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(bowsprit_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
target_link_libraries(bowsprit_pch PRIVATE bowsprit_options nlohmann_json::nlohmann_json)
if(BOWSPRIT_TESTS)
  find_package(GTest REQUIRED)
  add_library(bowsprit_test_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
  target_precompile_headers(bowsprit_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_test.h)
  target_link_libraries(bowsprit_test_pch PRIVATE bowsprit_options nlohmann_json::nlohmann_json GTest::gtest)
endif()

# bowsprit_library(NAME FILES a.cpp ... [DEPS folder ...] [LIBS system-library ...] [TESTS a_test.cpp ...])
# DEPS are the folders whose headers it may include; tools/check_layers reads them here, and the linker holds them true.
function(bowsprit_library name)
  cmake_parse_arguments(arg "" "" "FILES;DEPS;LIBS;TESTS;TEST_DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_FILES})
  target_link_libraries(${name} PUBLIC bowsprit_options nlohmann_json::nlohmann_json ${arg_DEPS} ${arg_LIBS})
  target_precompile_headers(${name} REUSE_FROM bowsprit_pch)
  if(BOWSPRIT_TESTS AND arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE ${name} ${arg_TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM bowsprit_test_pch)
    target_compile_definitions(${name}_test PRIVATE BOWSPRIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
