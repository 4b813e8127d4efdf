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

add_library(posemachine_program INTERFACE)
target_link_libraries(posemachine_program INTERFACE posemachine_all)
target_compile_options(posemachine_program INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${POSEMACHINE_WERROR}>:-Werror>
  # GCC 12 warns about its own std::string::insert and operator+ (GCC bug 105651), and inside nlohmann-json's iterators.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict -Wno-maybe-uninitialized>
)
if(POSEMACHINE_SANITIZE)
  target_compile_options(posemachine_program INTERFACE
    -fsanitize=${POSEMACHINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # GCC 12's null checks turn comparisons of function pointers in constexpr graphs into no constant expressions.
    $<$<CXX_COMPILER_ID:GNU>:-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute>
  )
  target_link_options(posemachine_program INTERFACE -fsanitize=${POSEMACHINE_SANITIZE})
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
