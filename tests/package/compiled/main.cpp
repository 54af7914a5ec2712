#include <ul/compiled.hpp>

#ifndef UL_COMPILED
#error "ul::compiled does not say that it is linked"
#endif

int main() {
  ul::cpu device;
  ul::parameters<ul::cpu, float> parameters(device);
  const ul::nn::mlp<ul::cpu, float> block(parameters.root(), {.channels = 8});
  parameters.allocate(ul::key(1));
  const ul::tensor<ul::cpu, float> x = ul::normal<float>(device, {3, 8}, ul::key(2));
  return block(x).shape() == ul::extents{3, 8} ? 0 : 1;
}
