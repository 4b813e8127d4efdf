# What our own programs (tool, examples, tests, benchmarks) are built with. Nothing here reaches users of the library.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_CXX_FLAGS)
  set(CMAKE_BUILD_TYPE Release)
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(POSEMACHINE_CCACHE ccache)
  mark_as_advanced(POSEMACHINE_CCACHE)
  if(POSEMACHINE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${POSEMACHINE_CCACHE})
  endif()
endif()

option(POSEMACHINE_UNITY "Compile the sources of the tool and of each test program several to a translation unit"
  ${PROJECT_IS_TOP_LEVEL}
)

# Sets `out` to translation units named after `name` that include `ARGN`, files below `root`, about POSEMACHINE_BATCH_SIZE
# (8) per unit: most of a unit's cost is the headers, and eight of the largest tests stay below 3 GB of a compiler's
# memory. Without POSEMACHINE_UNITY, to the files themselves.
# Not CMake's UNITY_BUILD, whose units name files by absolute paths: the compiler cache could not serve another clone.
function(posemachine_batches out name root)
  list(LENGTH ARGN count)
  if(NOT POSEMACHINE_UNITY OR count LESS 2)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(most 8)
  if(POSEMACHINE_BATCH_SIZE)
    set(most ${POSEMACHINE_BATCH_SIZE})
  endif()
  math(EXPR units "(${count} + ${most} - 1) / ${most}")
  math(EXPR per_unit "(${count} + ${units} - 1) / ${units}")
  set(result "")
  while(ARGN)
    list(SUBLIST ARGN 0 ${per_unit} batch)
    list(REMOVE_ITEM ARGN ${batch})
    set(content "")
    foreach(source IN LISTS batch)
      cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${root})
      string(APPEND content "#include \"${source}\"\n")
    endforeach()
    list(LENGTH result index)
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/batches/${name}_${index}.cpp)
    file(CONFIGURE OUTPUT ${unit} CONTENT "${content}" @ONLY)
    list(APPEND result ${unit})
  endwhile()
  set(${out} ${result} PARENT_SCOPE)
endfunction()

# How our own code is compiled: warnings and sanitizers.
add_library(posemachine_flags INTERFACE)
target_compile_options(posemachine_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${POSEMACHINE_WERROR}>:-Werror>
  # GCC 12 warns about its own std::string::insert and operator+ (GCC bug 105651), and inside nlohmann-json's iterators.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict -Wno-maybe-uninitialized>
  # Clang warns inside libstdc++ 12's std::stable_sort, which uses what C++17 has deprecated.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
)
# Debug information and __FILE__ name files from the project's folder on, wherever it lies.
target_compile_options(posemachine_flags INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(POSEMACHINE_SANITIZE)
  target_compile_options(posemachine_flags INTERFACE
    -fsanitize=${POSEMACHINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # GCC 12's null checks turn comparisons of function pointers in constexpr graphs into no constant expressions.
    $<$<CXX_COMPILER_ID:GNU>:-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute>
  )
  target_link_options(posemachine_flags INTERFACE -fsanitize=${POSEMACHINE_SANITIZE})
endif()
set(CMAKE_CXX_EXTENSIONS OFF)

# What our own programs link: what the library's .ipp files define is compiled once for all of them.
add_library(posemachine_program INTERFACE)
target_link_libraries(posemachine_program INTERFACE posemachine_all posemachine_flags)
if(TARGET posemachine_compiled)
  target_link_libraries(posemachine_program INTERFACE posemachine_compiled)
  target_link_libraries(posemachine_compiled PRIVATE $<BUILD_INTERFACE:posemachine_flags>)
  set_target_properties(posemachine_compiled PROPERTIES CXX_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
endif()
