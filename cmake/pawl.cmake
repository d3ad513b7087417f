# How every library of the tree is declared: one line per folder.
#
#   pawl_library(wal DEPS port wire EXTERNAL OpenSSL::Crypto)
#
# compiles every *.cc of the folder except *_test.cc, *_fuzz.cc, *_bench.cc and main.cc, links it to
# the named Pawl libraries (public) and third-party targets (private), and builds the folder's tests
# into one binary, registered with ctest under the library's name.

set(CMAKE_CXX_FLAGS_DEV "-O1 -g1" CACHE STRING "flags of the everyday build" FORCE)
set(CMAKE_C_FLAGS_DEV "-O1 -g1" CACHE STRING "flags of the everyday build" FORCE)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1" CACHE STRING "release keeps its checks: no NDEBUG" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1" CACHE STRING "release keeps its checks: no NDEBUG" FORCE)

set(PAWL_SANITIZE "" CACHE STRING "comma-separated sanitizers, such as address,undefined")

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_program(PAWL_MOLD NAMES mold)

add_library(pawl_flags INTERFACE)
target_include_directories(pawl_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(pawl_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wnon-virtual-dtor -Werror -fno-omit-frame-pointer)
if(PAWL_MOLD)
  target_link_options(pawl_flags INTERFACE -fuse-ld=mold)
endif()
if(PAWL_SANITIZE)
  target_compile_options(pawl_flags INTERFACE -fsanitize=${PAWL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(pawl_flags INTERFACE -fsanitize=${PAWL_SANITIZE})
endif()

function(pawl_library name)
  cmake_parse_arguments(arg "" "" "DEPS;EXTERNAL;TEST_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  file(GLOB others CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_fuzz.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/*_bench.cc ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  list(REMOVE_ITEM sources ${tests} ${others})
  list(TRANSFORM arg_DEPS PREPEND pawl_ OUTPUT_VARIABLE deps)
  list(TRANSFORM arg_TEST_DEPS PREPEND pawl_ OUTPUT_VARIABLE test_deps)

  if(sources)
    add_library(pawl_${name} STATIC ${sources})
    target_link_libraries(pawl_${name} PUBLIC pawl_flags ${deps} PRIVATE ${arg_EXTERNAL})
    set_property(TARGET pawl_${name} PROPERTY PAWL_DEPS "${deps}")
    target_sources(pawl_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
      FILES ${headers})
  else()
    add_library(pawl_${name} INTERFACE)
    target_link_libraries(pawl_${name} INTERFACE pawl_flags ${deps})
    target_sources(pawl_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
      FILES ${headers})
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE pawl_${name} ${test_deps} ${arg_EXTERNAL}
      GTest::gtest GTest::gtest_main Threads::Threads)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()
