// The library for most programs: compose or load a network, run it, draw what it found.
#pragma once

#include <posemachine/compose.hpp>

#include <posemachine/inference/calibrate.hpp>
#include <posemachine/inference/compare.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/evaluation_json.hpp>
#include <posemachine/inference/execution_cache.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/pose/colour_map.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/draw.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/match_joints.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/output_decoders/output_decoders.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_formats.hpp>
#include <posemachine/pose/targets.hpp>
