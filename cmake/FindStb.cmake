# Finds stb's image reader and writer as a compiled library, <stb/stb_image.h> included so. Defines Stb::stb.
find_path(Stb_INCLUDE_DIR stb/stb_image.h)
find_library(Stb_LIBRARY stb)
mark_as_advanced(Stb_INCLUDE_DIR Stb_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Stb REQUIRED_VARS Stb_LIBRARY Stb_INCLUDE_DIR)

if(Stb_FOUND AND NOT TARGET Stb::stb)
  add_library(Stb::stb UNKNOWN IMPORTED)
  set_target_properties(Stb::stb PROPERTIES
    IMPORTED_LOCATION "${Stb_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Stb_INCLUDE_DIR}"
  )
endif()
