# Builds and runs one consumer in a fresh folder. Arguments: MODE SOURCE BUILD SCRATCH COMPILER LAUNCHER THOROUGH.
function(run_step)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${MODE}: status ${status} from: ${ARGV}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
file(COPY ${SOURCE}/tests/consumer/program DESTINATION ${SCRATCH})

set(options -G Ninja -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
  -DCMAKE_CXX_FLAGS=-O0 -DMODE=${MODE} -DTHOROUGH=${THOROUGH}
)
if(MODE MATCHES "find_package|mixed")
  run_step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/installed)
  file(RENAME ${SCRATCH}/installed ${SCRATCH}/prefix) # what was installed must not know where it lies
  list(APPEND options -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix)
endif()
if(MODE STREQUAL find_package AND EXISTS ${SCRATCH}/prefix/bin/posemachine) # where the tool is built
  foreach(file IN ITEMS bash-completion/completions/posemachine zsh/site-functions/_posemachine man/man1/posemachine.1
      posemachine/networks/scaling_dilation.json doc/posemachine/docs/index.md doc/posemachine/README.md)
    if(NOT EXISTS ${SCRATCH}/prefix/share/${file})
      message(FATAL_ERROR "${MODE}: expected share/${file} among what was installed")
    endif()
  endforeach()
endif()
if(MODE STREQUAL find_package_compose)
  foreach(package IN ITEMS OneDNN TBB nlohmann_json JPEG PNG ZLIB LibYaml MPI)
    list(APPEND options -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON) # a machine without them
  endforeach()
endif()
if(MODE STREQUAL add_subdirectory)
  list(APPEND options -DPOSEMACHINE_SOURCE=${SOURCE})
endif()

if(MODE STREQUAL find_package)
  # One line without CMake, by pkg-config alone.
  find_program(pkg_config pkg-config REQUIRED)
  set(ENV{PKG_CONFIG_PATH} ${SCRATCH}/prefix/lib/pkgconfig)
  foreach(package IN ITEMS posemachine-compose posemachine posemachine-compiled)
    execute_process(COMMAND ${pkg_config} --cflags --libs ${package} OUTPUT_VARIABLE flags ERROR_VARIABLE error
      RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE
    )
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "${MODE}: pkg-config ${package}: ${error}")
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
    set(part compose_main)
    if(package STREQUAL posemachine-compiled) # the whole library; header-only it would compile once more
      set(part main)
    endif()
    string(REPLACE main other other ${part})
    run_step(${LAUNCHER} ${COMPILER} -std=c++20 -c ${SCRATCH}/program/${part}.cpp -o ${SCRATCH}/${part}.o ${flags})
    run_step(${LAUNCHER} ${COMPILER} -std=c++20 -c ${SCRATCH}/program/${other}.cpp -o ${SCRATCH}/${other}.o ${flags})
    run_step(${COMPILER} ${SCRATCH}/${part}.o ${SCRATCH}/${other}.o -o ${SCRATCH}/${package} ${flags})
    run_step(${SCRATCH}/${package})
  endforeach()
endif()

run_step(${CMAKE_COMMAND} -S ${SCRATCH}/program -B ${SCRATCH}/build ${options})
if(MODE STREQUAL mixed_builds)
  run_step(${CMAKE_COMMAND} --build ${SCRATCH}/build --target same)
  foreach(choice IN ITEMS POSEMACHINE_IMAGE_STB POSEMACHINE_COMPILED)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH}/build --target mixed_${choice}
      RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output
    )
    if(status EQUAL 0 OR NOT output MATCHES "undefined reference")
      message(FATAL_ERROR
        "mixed_builds, ${choice}: expected an undefined reference, got status ${status}:\n${output}"
      )
    endif()
  endforeach()
else()
  run_step(${CMAKE_COMMAND} --build ${SCRATCH}/build)
  foreach(program IN ITEMS consumer consumer_compiled)
    if(EXISTS ${SCRATCH}/build/${program})
      run_step(${SCRATCH}/build/${program})
    endif()
  endforeach()
  foreach(program IN ITEMS estimate estimate_compiled)
    if(EXISTS ${SCRATCH}/build/${program})
      run_step(${SCRATCH}/build/${program} ${SOURCE}/examples/models/scaling-dilation-fine.safetensors
        ${SOURCE}/examples/photos/pitcher.jpg
      )
    endif()
  endforeach()
endif()
message(STATUS "${MODE}: passed")
