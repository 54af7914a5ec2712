// A whole training step of Unified Latents' first stage: 64 pictures of 28 x 28 x 1, losses, gradients, clipping, Adam
// and the average of the weights. Rates count convolutions as if they were done directly.

#include <cstdio>
#include <cstdlib>

#include <ul/latent/stage1.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/ema.hpp>

#include "clock.hpp"
#include "counted.hpp"

namespace {

using device_type = benchmark::counted;
constexpr ul::extent batch = 64;

void run(ul::extent threads, int steps) {
  device_type device({.threads = threads});
  const ul::latent_config config{.image = {28, 28, 1}, .channels = 8};
  ul::parameters<device_type, float> parameters(device);
  const ul::stage1_networks<device_type, float> nets(parameters.root(), config);
  parameters.allocate(ul::key(1));
  ul::adam<device_type, float> optimiser(parameters, {});
  ul::ema<device_type, float> average(parameters, ul::warm_up_average{});
  ul::latent_scale scale;
  ul::tensor<device_type, float> x(device, {batch, 28, 28, 1});
  device.normal(x.data(), x.size(), ul::key(2), 0);

  double gigaflop = 0;
  std::vector<double> times;
  for (int step = 0; step <= steps; ++step) {
    device.reset();
    const double time = benchmark::seconds(threads, [&] {
      parameters.zero_gradient();
      ul::tape<device_type> tape;
      const ul::batch_draw draw{ul::key(3).fold_in(static_cast<std::uint64_t>(step)), 0, batch};
      tape.backward(ul::stage1_loss(nets, tape.constant(x), scale, draw).total(784));
      optimiser.step({.rate = 1e-3, .gradient_scale = ul::clip_scale(ul::gradient_norm(parameters), 1)}, average);
    });
    if (step > 0) times.push_back(time);  // the first one asks the system for memory
    gigaflop = device.gigaflop();
  }
  const double time = benchmark::median(times), peak = benchmark::peak_gigaflops(device);
  std::printf("%td thread%s  %td parameters  %7.1f ms  %6.0f images/s  %.2f GFLOP, %5.1f GFLOP/s  %.0f %% of %.0f\n",
              threads, threads == 1 ? " " : "s", parameters.count(), 1e3 * time, static_cast<double>(batch) / time,
              gigaflop, gigaflop / time, 100 * gigaflop / time / peak, peak);
}

}  // namespace

// stage1_step [steps [threads]]
int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 7;
  if (argc > 2) return run(std::atoi(argv[2]), steps), 0;
  for (const ul::extent threads : {1, 2}) run(threads, steps);
}
