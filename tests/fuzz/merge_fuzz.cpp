// Results of shares, as posemachine merge takes them: two files.
#include "fuzz/harness.hpp"
#include "posemachine/tool.hpp"

#include <posemachine/base/digest.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace merge_fuzz {

namespace pm = posemachine;

namespace {

std::string evaluated(int number, int count) {
  return R"({"model":"m","network":"n","data":"lsp:d","split":"test","boxes":true,"stages":[{},{}],"shard":{"number":)" +
         std::to_string(number) + R"(,"of":)" + std::to_string(count) +
         R"(,"run":{"command":"evaluate","joint_set":{"name":"a","joints":["p","q"],"pairs":[["p","q"]],"limbs":[],)"
         R"("groups":[{"name":"g","joints":["p"]}],"sticks":[{"group":"s","from":["p"],"to":["q"]}],"torso":["p","q"],)"
         R"("sigmas":[0.1,0.2]},"metrics":["pck@0.2:torso","pcp_strict","pckh","auc","epe","oks"]},"measured":[{"image":1,)"
         R"("truth":[[1,2,3],[30,40.5,2]],"estimates":[[[1,2,0.5],[3,4,1]],[[1,2,0.5],[null,null,0]]],)"
         R"("box":[0,0,50,60],"image_side":100,"head_length":5,"area":900}]}})"
         "\n";
}

std::string estimated(int number, int count) {
  const std::string line = "{\"image\":\"" + std::to_string(number) + ".png\"}\n";
  pm::Digest digest;
  digest.add(line);
  return line + R"({"shard":{"number":)" + std::to_string(number) + R"(,"of":)" + std::to_string(count) +
         R"(,"run":{"command":"estimate","images":{"count":2}},"problems":[],"lines":")" + digest.text() + "\"}}\n";
}

std::vector<std::string> seeds() {
  return {evaluated(1, 1), evaluated(1, 2) + fuzz::file_separator + evaluated(2, 2),
          estimated(1, 2) + fuzz::file_separator + estimated(2, 2)};
}

void read(const std::string& input) {
  const std::vector<std::string> files = fuzz::files_in(input, 2);
  CLI::App app;
  tool::Context context;
  context.quiet = true;
  const tool::Command merge = tool::add_merge(app, context);
  std::vector<std::string> arguments{"merge", fuzz::folder().write("merge/1.json", files[0]).string()};
  if (!files[1].empty()) arguments.push_back(fuzz::folder().write("merge/2.json", files[1]).string());
  arguments.insert(arguments.end(), {"-o", (fuzz::folder() / "merge/whole").string()});
  if (files[0].starts_with("{\"model\"")) arguments.emplace_back("--json");
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  merge.run();
}

const bool added = fuzz::add({"merge", seeds, read, fuzz::refuses_with<pm::DataError>});

}  // namespace

}  // namespace merge_fuzz
