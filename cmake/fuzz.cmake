# Fuzzers: an x_fuzz.cc beside the code defines LLVMFuzzerTestOneInput; known inputs lie in corpus/x/.
#
# In every ordinary build it is linked with a small driver of our own (testing/fuzz_driver.cc), and
# ctest runs the corpus and a second of mutations from a fixed seed. With PAWL_FUZZ it is linked with
# libFuzzer instead: `./dev fuzz`.

set(PAWL_FUZZ_DRIVER ${PROJECT_SOURCE_DIR}/src/pawl/testing/fuzz_driver.cc)
add_custom_target(fuzzers)

function(pawl_fuzzer source libraries)
  get_filename_component(binary ${source} NAME_WE)
  get_filename_component(folder ${source} DIRECTORY)
  string(REGEX REPLACE "_fuzz$" "" name ${binary})
  set(corpus ${folder}/corpus/${name})
  if(PAWL_FUZZ)
    add_executable(${binary} EXCLUDE_FROM_ALL ${source})
    target_link_options(${binary} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${binary} ${source} ${PAWL_FUZZ_DRIVER})
  endif()
  target_link_libraries(${binary} PRIVATE ${libraries})
  add_dependencies(fuzzers ${binary})
  set_property(GLOBAL APPEND PROPERTY PAWL_FUZZERS "${name}\t$<TARGET_FILE:${binary}>\t${corpus}")
  if(PAWL_FUZZ)
    return()
  endif()
  if(name STREQUAL "canary")  # it must die: a fuzzer that finds nothing would fail here
    add_test(NAME fuzz.${name} COMMAND sh -c "\"$0\" \"$1\"; test $? -ge 128"
      $<TARGET_FILE:${binary}> ${corpus})
  else()
    add_test(NAME fuzz.${name} COMMAND ${binary} ${corpus})
  endif()
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()
