# The library's targets, one per tier of headers. All but posemachine::compiled are INTERFACE; posemachine::estimate has a
# source file, which the target that links it compiles.
#   posemachine::compose      core graph layers modules networks; no third party
#   posemachine::run          + schedule base model engine pose inference training; oneDNN, oneTBB, nlohmann_json
#   posemachine::estimate     run, for programs that include no more than inference/pose_estimator.hpp of it
#   posemachine::image        + data/image_io.hpp; libjpeg and libpng, or stb_image
#   posemachine::dataset      image + data/; zlib and libyaml
#   posemachine::mpi          + training/mpi_communicator.hpp; MPI; only where POSEMACHINE_COMPONENTS names it
#   posemachine::posemachine  all of the above
#   posemachine::compiled     run as a static library, with what needs image (the Trainer, evaluation) where image is there:
#                             what .ipp files define is compiled once, not by every program; installed only where
#                             POSEMACHINE_COMPONENTS names it
#   posemachine::eigen        compose, for eigen.hpp; Eigen; only where POSEMACHINE_COMPONENTS names it, and by its own name

foreach(component IN LISTS POSEMACHINE_COMPONENTS)
  if(NOT component MATCHES "^(compose|run|image|dataset|mpi|eigen|compiled)$")
    message(FATAL_ERROR
      "POSEMACHINE_COMPONENTS: expected compose, run, image, dataset, mpi, eigen or compiled, got ${component}")
  endif()
endforeach()

set(POSEMACHINE_TARGETS "") # the components that are defined, for the install rules

add_library(posemachine_compose INTERFACE)
target_compile_features(posemachine_compose INTERFACE cxx_std_20)
target_include_directories(posemachine_compose INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
)
# A choice that changes types or behaviour is seen by every tier, so that mixed programs fail to link.
target_compile_definitions(posemachine_compose INTERFACE $<$<BOOL:${POSEMACHINE_IMAGE_STB}>:POSEMACHINE_IMAGE_STB>)
list(APPEND POSEMACHINE_TARGETS compose)

set(needs_run OFF)
if(POSEMACHINE_COMPONENTS MATCHES "run|image|dataset|mpi|compiled")
  set(needs_run ON)
endif()

if(needs_run)
  find_package(OneDNN 2.6 REQUIRED)
  find_package(TBB CONFIG REQUIRED)
  find_package(nlohmann_json 3.10 CONFIG REQUIRED)
  find_package(Threads REQUIRED)
  add_library(posemachine_run INTERFACE)
  target_link_libraries(posemachine_run INTERFACE
    posemachine_compose DNNL::dnnl TBB::tbb nlohmann_json::nlohmann_json Threads::Threads ${CMAKE_DL_LIBS}
  )
  list(APPEND POSEMACHINE_TARGETS run)

  add_library(posemachine_estimate INTERFACE)
  target_sources(posemachine_estimate INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cmake/pose_estimator.cpp>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_LIBDIR}/cmake/posemachine/pose_estimator.cpp>
  )
  target_link_libraries(posemachine_estimate INTERFACE posemachine_run)
  set_target_properties(posemachine_estimate PROPERTIES EXPORT_NAME estimate)
  add_library(posemachine::estimate ALIAS posemachine_estimate)
endif()

# Sets `out` to a translation unit per folder that includes its .ipp files, by names that no path of this machine is in:
# the compiler cache serves another clone. With POSEMACHINE_UNITY off, to one per file. Not inference/pose_estimator.ipp,
# which posemachine::estimate compiles. What includes data/image_io.hpp by whatever way, the Trainer and evaluation, is a
# unit of its own, images, and only there where `with_images`; tests/tiers holds the list to that.
function(posemachine_compiled_units out with_images)
  set(include_dir ${PROJECT_SOURCE_DIR}/include)
  file(GLOB_RECURSE definitions CONFIGURE_DEPENDS RELATIVE ${include_dir} ${include_dir}/posemachine/*.ipp)
  list(FILTER definitions EXCLUDE REGEX "/pose_estimator\\.ipp$")
  set(with_images_only calibrate compare constant_pose evaluate evaluation_json event_file image_headers loader
    picture_cache read_frames reduced_image run_folder supervision tensorboard_log trainer training_step validation
    validation_pictures)
  list(JOIN with_images_only "|" names)
  set(reads_images "/(${names})\\.ipp$")
  if(NOT with_images)
    list(FILTER definitions EXCLUDE REGEX ${reads_images})
  endif()
  set(units "")
  foreach(file IN LISTS definitions)
    if(DEFINED POSEMACHINE_UNITY AND NOT POSEMACHINE_UNITY)
      string(REPLACE "/" "." unit ${file})
    elseif(file MATCHES ${reads_images})
      set(unit images)
    else()
      string(REGEX REPLACE "^posemachine/([^/]+)/.*" "\\1" unit ${file})
    endif()
    string(APPEND content_of_${unit} "#include <${file}>\n")
    list(APPEND units ${unit})
  endforeach()
  list(REMOVE_DUPLICATES units)
  set(sources "")
  foreach(unit IN LISTS units)
    set(source ${PROJECT_BINARY_DIR}/compiled/${unit}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "${content_of_${unit}}" @ONLY)
    list(APPEND sources ${source})
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

if(POSEMACHINE_COMPONENTS MATCHES "image|dataset")
  add_library(posemachine_image INTERFACE)
  if(POSEMACHINE_IMAGE_STB)
    find_package(Stb REQUIRED)
    target_link_libraries(posemachine_image INTERFACE posemachine_run Stb::stb)
  else()
    find_package(JPEG REQUIRED)
    find_package(PNG REQUIRED)
    target_link_libraries(posemachine_image INTERFACE posemachine_run JPEG::JPEG PNG::PNG)
  endif()
  list(APPEND POSEMACHINE_TARGETS image)
endif()

if(needs_run)
  set(compiled_part run)
  set(with_images OFF)
  if(TARGET posemachine_image)
    set(compiled_part image)
    set(with_images ON)
  endif()
  posemachine_compiled_units(units ${with_images})
  add_library(posemachine_compiled STATIC ${units})
  target_link_libraries(posemachine_compiled PUBLIC posemachine_${compiled_part})
  # Seen by users too: their headers then declare what the library defines, in an inline namespace of another name.
  target_compile_definitions(posemachine_compiled PUBLIC POSEMACHINE_COMPILED)
  set_target_properties(posemachine_compiled PROPERTIES CXX_EXTENSIONS OFF)
  if("compiled" IN_LIST POSEMACHINE_COMPONENTS)
    list(APPEND POSEMACHINE_TARGETS compiled)
  else() # built where something links it
    set_target_properties(posemachine_compiled PROPERTIES EXCLUDE_FROM_ALL ON EXPORT_NAME compiled)
    add_library(posemachine::compiled ALIAS posemachine_compiled)
  endif()
endif()

if(POSEMACHINE_COMPONENTS MATCHES "dataset")
  find_package(ZLIB REQUIRED)
  find_package(LibYaml REQUIRED)
  add_library(posemachine_dataset INTERFACE)
  target_link_libraries(posemachine_dataset INTERFACE posemachine_image ZLIB::ZLIB LibYaml::yaml)
  list(APPEND POSEMACHINE_TARGETS dataset)
endif()

if("mpi" IN_LIST POSEMACHINE_COMPONENTS)
  set(MPI_CXX_SKIP_MPICXX ON) # the C interface alone
  find_package(MPI REQUIRED COMPONENTS CXX)
  add_library(posemachine_mpi INTERFACE)
  target_link_libraries(posemachine_mpi INTERFACE posemachine_run MPI::MPI_CXX)
  target_compile_definitions(posemachine_mpi INTERFACE POSEMACHINE_MPI)
  list(APPEND POSEMACHINE_TARGETS mpi)
endif()

if(POSEMACHINE_COMPONENTS MATCHES "eigen")
  find_package(Eigen3 3.4 CONFIG REQUIRED)
  add_library(posemachine_eigen INTERFACE)
  target_link_libraries(posemachine_eigen INTERFACE posemachine_compose Eigen3::Eigen)
  list(APPEND POSEMACHINE_TARGETS eigen)
endif()

# posemachine_all, not posemachine: that name is free for the command-line tool's file.
add_library(posemachine_all INTERFACE)
foreach(component IN LISTS POSEMACHINE_TARGETS)
  if(NOT component MATCHES "^(eigen|compiled)$") # nothing of the others needs them
    target_link_libraries(posemachine_all INTERFACE posemachine_${component})
  endif()
  set_target_properties(posemachine_${component} PROPERTIES EXPORT_NAME ${component})
  add_library(posemachine::${component} ALIAS posemachine_${component})
endforeach()
set_target_properties(posemachine_all PROPERTIES EXPORT_NAME posemachine)
add_library(posemachine::posemachine ALIAS posemachine_all)
