// Compiled into every program that links posemachine::estimate.
#include <posemachine/inference/pose_estimator.ipp>
