// The measure of the machine: what these standard headers cost, which every case below them pays too.
#include <filesystem>
#include <functional>
#include <map>
#include <regex>

int main() { return std::regex_search("a", std::regex("[a-z]")) ? 0 : 1; }
