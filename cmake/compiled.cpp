// The instantiations that ul::compiled holds.
#define UL_COMPILED_SOURCE
#include <ul/compiled.hpp>
