// posemachine: the command-line tool, and the largest example of the library.
#include "tool.hpp"

int main(int argc, char** argv) { return tool::run(argc, argv); }
