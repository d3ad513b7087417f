# How every library of the tree is declared: one line per folder.
#
#   pawl_library(wal DEPS port wire EXTERNAL OpenSSL::Crypto TEST_DEPS testing LABELS contract)
#
# compiles every *.cc of the folder except *_test.cc, *_fuzz.cc, *_bench.cc, main.cc and
# fuzz_driver.cc, and links it to the named Pawl libraries (public) and third-party targets (private).
# What lies beside:
#
#   *_test.cc    one gtest binary, `wal_test`, registered with ctest as `wal` (labels: unit + LABELS)
#   x_fuzz.cc    the binary `x_fuzz`, run briefly by ctest as `fuzz.x`, for long by `./dev fuzz`
#   x_bench.cc   the binary `x_bench`, linked only by the target `benches`, run by `./dev bench`
#
# A program is a folder's main.cc:  pawl_program(pawl DEPS cli engine EXTERNAL Threads::Threads)

set(CMAKE_CXX_FLAGS_DEV "-O1 -g1" CACHE STRING "flags of the everyday build" FORCE)
set(CMAKE_C_FLAGS_DEV "-O1 -g1" CACHE STRING "flags of the everyday build" FORCE)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1" CACHE STRING "release keeps its checks: no NDEBUG" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1" CACHE STRING "release keeps its checks: no NDEBUG" FORCE)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(PAWL_SANITIZE "" CACHE STRING "comma-separated sanitizers, such as address,undefined")
option(PAWL_FUZZ "link the fuzzers with libFuzzer (clang only) and build nothing else" OFF)

set(PAWL_CMAKE ${CMAKE_CURRENT_LIST_DIR})

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(PAWL_MOLD NAMES mold)
if(NOT PAWL_FUZZ AND PROJECT_IS_TOP_LEVEL)
  find_package(GTest REQUIRED)
endif()

add_library(pawl_flags INTERFACE)
target_include_directories(pawl_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
if(PAWL_FUZZ)
  target_compile_options(pawl_flags INTERFACE -w -fno-omit-frame-pointer
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  target_link_options(pawl_flags INTERFACE -fsanitize=address,undefined)
elseif(PROJECT_IS_TOP_LEVEL)
  target_compile_options(pawl_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wno-sign-conversion -Wnon-virtual-dtor -Werror -fno-omit-frame-pointer
    # GCC 12 sees uninitialised members in every moved std::variant (GCC bug 105562 and its kin).
    -Wno-maybe-uninitialized)
endif()
if(PAWL_MOLD AND NOT PAWL_FUZZ)
  target_link_options(pawl_flags INTERFACE -fuse-ld=mold)
endif()
if(PAWL_SANITIZE)
  target_compile_options(pawl_flags INTERFACE -fsanitize=${PAWL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(pawl_flags INTERFACE -fsanitize=${PAWL_SANITIZE})
endif()

include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/fuzz.cmake)
add_custom_target(benches)

function(pawl_library name)
  cmake_parse_arguments(arg "" "" "DEPS;EXTERNAL;TEST_DEPS;LABELS" ${ARGN})
  set(here ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB sources CONFIGURE_DEPENDS ${here}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${here}/*_test.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${here}/*_fuzz.cc)
  file(GLOB benches CONFIGURE_DEPENDS ${here}/*_bench.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${here}/*.h)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${benches} ${here}/main.cc ${here}/fuzz_driver.cc)
  list(TRANSFORM arg_DEPS PREPEND pawl_ OUTPUT_VARIABLE deps)
  list(TRANSFORM arg_TEST_DEPS PREPEND pawl_ OUTPUT_VARIABLE test_deps)

  if(sources)
    add_library(pawl_${name} STATIC ${sources})
    target_link_libraries(pawl_${name} PUBLIC pawl_flags ${deps} PRIVATE ${arg_EXTERNAL})
  else()
    add_library(pawl_${name} INTERFACE)
    target_link_libraries(pawl_${name} INTERFACE pawl_flags ${deps})
  endif()
  if(NOT PROJECT_IS_TOP_LEVEL)  # part of another program's build
    return()
  endif()
  if(sources)
    pawl_check_links(${name})
  endif()
  pawl_check_headers(${name} "${headers}" "${arg_EXTERNAL}")

  set(beside pawl_${name} ${test_deps} ${arg_EXTERNAL} Threads::Threads)
  foreach(fuzzer IN LISTS fuzzers)
    pawl_fuzzer(${fuzzer} "${beside}")
  endforeach()
  if(PAWL_FUZZ)
    return()
  endif()
  foreach(bench IN LISTS benches)
    pawl_bench(${bench} "${beside}")
  endforeach()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${beside} GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS "unit;${arg_LABELS}")
  endif()
endfunction()

function(pawl_program name)
  cmake_parse_arguments(arg "" "" "DEPS;EXTERNAL" ${ARGN})
  list(TRANSFORM arg_DEPS PREPEND pawl_ OUTPUT_VARIABLE deps)
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE pawl_flags ${deps} ${arg_EXTERNAL})
endfunction()

# A program whose threads hand memory to each other all the time (docs/adr/0051-allocator.md); sanitizers
# bring an allocator of their own.
if(PROJECT_IS_TOP_LEVEL AND NOT PAWL_SANITIZE AND NOT PAWL_FUZZ)
  find_package(mimalloc REQUIRED)
endif()
function(pawl_allocator name)
  if(TARGET mimalloc)
    target_link_libraries(${name} PRIVATE mimalloc)
  endif()
endfunction()

function(pawl_bench source libraries)
  get_filename_component(name ${source} NAME_WE)
  add_library(${name}_objects OBJECT ${source})  # every build notices what no longer compiles
  target_link_libraries(${name}_objects PRIVATE ${libraries})
  add_executable(${name} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${name}_objects>)
  target_link_libraries(${name} PRIVATE ${libraries})
  add_dependencies(benches ${name})
  set_property(GLOBAL APPEND PROPERTY PAWL_BENCHES "${name}\t$<TARGET_FILE:${name}>")
endfunction()

# Writes what `./dev bench` and `./dev fuzz` run, once every folder has been read.
function(pawl_write_registries)
  get_property(benches GLOBAL PROPERTY PAWL_BENCHES)
  get_property(fuzzers GLOBAL PROPERTY PAWL_FUZZERS)
  list(JOIN benches "\n" benches)
  list(JOIN fuzzers "\n" fuzzers)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/benches.tsv CONTENT "${benches}\n")
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/fuzzers.tsv CONTENT "${fuzzers}\n")
endfunction()
