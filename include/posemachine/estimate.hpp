// Photographs in, poses out: model files, estimators, pictures, drawing and formats of results. Needs the component image.
#pragma once

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_folder.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/draw.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/match_joints.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_formats.hpp>
