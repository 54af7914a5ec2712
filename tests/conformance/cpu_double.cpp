#include <ul/backend/cpu.hpp>

#include "against_reference.hpp"

TEST_CASE("every op on the CPU agrees with the reference, in double") {
  ul::cpu device;
  conformance::against_reference<double>(device, 1e-13);
}
