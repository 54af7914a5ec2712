#include <ul/backend/cpu.hpp>

#include "against_reference.hpp"

TEST_CASE("every op on the CPU agrees with the reference, in float") {
  ul::cpu device;
  conformance::against_reference<float>(device, 2e-6);
}
