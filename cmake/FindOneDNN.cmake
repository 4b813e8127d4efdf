# Finds oneDNN 2.6 or later. Defines DNNL::dnnl, the name that oneDNN's own package gives its library.
# Not through that package: Debian's asks for the headers of OpenCL, which libdnnl-dev does not bring and we do not use.
if(TARGET DNNL::dnnl) # a project above us brought its own
  set(OneDNN_FOUND TRUE)
  return()
endif()

find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(OneDNN_LIBRARY dnnl)
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)

if(OneDNN_INCLUDE_DIR)
  file(STRINGS "${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" OneDNN_VERSION
    REGEX "^#define DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+"
  )
  string(REGEX REPLACE "[^0-9;]" "" OneDNN_VERSION "${OneDNN_VERSION}")
  string(REPLACE ";" "." OneDNN_VERSION "${OneDNN_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN
  REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR VERSION_VAR OneDNN_VERSION
)

if(OneDNN_FOUND)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES
    IMPORTED_LOCATION "${OneDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${OneDNN_INCLUDE_DIR}"
  )
endif()
