// posemachine: the command-line tool, and the largest example of the library.
#include "environment.hpp"

int main(int argc, char** argv) { return tool::run_main(argc, argv); }
