# Checks that the compiler and the linker make for us; each fails the build, not a test.
#
#   links     the whole archive of each library links against its declared dependencies alone
#   headers   each header compiles by itself. One with a .cc of the same name is proved by that .cc,
#             which includes it first (the include lint sees to it); for the others one line is compiled
#
# Archives are also noted for the seal of the pure zone (tools/lint/seal.py). Sanitized builds skip
# all three: they would only repeat the everyday build's answer.

function(pawl_check_links name)
  if(PAWL_SANITIZE OR PAWL_FUZZ)
    return()
  endif()
  add_executable(${name}_links ${PAWL_CMAKE}/checks/empty_main.cc)
  target_link_libraries(${name}_links PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,pawl_${name}>)
  target_link_options(${name}_links PRIVATE -Wl,--no-undefined)
  set_target_properties(${name}_links PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/checks)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/src/pawl ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY PAWL_ARCHIVES "${folder}=$<TARGET_FILE:pawl_${name}>")
endfunction()

function(pawl_check_headers name headers external)
  if(PAWL_SANITIZE OR PAWL_FUZZ)
    return()
  endif()
  set(proofs "")
  foreach(header IN LISTS headers)
    get_filename_component(stem ${header} NAME_WE)
    get_filename_component(folder ${header} DIRECTORY)
    if(EXISTS ${folder}/${stem}.cc)
      continue()
    endif()
    file(RELATIVE_PATH include ${PROJECT_SOURCE_DIR}/src ${header})
    set(proof ${CMAKE_BINARY_DIR}/checks/${include}.cc)
    file(CONFIGURE OUTPUT ${proof} CONTENT "#include \"${include}\"\n")
    list(APPEND proofs ${proof})
  endforeach()
  if(proofs)
    add_library(${name}_headers OBJECT ${proofs})
    target_link_libraries(${name}_headers PRIVATE pawl_${name} ${external})
    target_compile_options(${name}_headers PRIVATE -O0 -g0)
  endif()
endfunction()
