// What posemachine::estimate compiles once for a program.
#include <posemachine/inference/pose_estimator.ipp>
