// What training and sampling cost at a preset's sizes: a step of stage 1, a step of stage 2, and samples, in pictures a
// second and in the share of the FMA peak. FLOPs are those of the planner: convolutions count as if done directly.
//
//   latent_steps [preset [batch [repetitions]]]

#include <cstdio>
#include <cstdlib>

#include <ul/backend/planner.hpp>
#include <ul/compiled.hpp>
#include <ul/latent/presets.hpp>
#include <ul/latent/sample.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/ema.hpp>

#include "clock.hpp"

namespace {

constexpr ul::extent latent_steps = 50, decoder_steps = 20;

// One device's model with all that its steps need.
template <class B>
struct work {
  ul::latent_model<B> model;
  ul::extent batch;
  ul::tensor<B, float> x, z;
  std::vector<ul::extent> labels;
  std::optional<ul::adam<B, float>> optimiser1, optimiser2;
  std::optional<ul::ema<B, float>> average1, average2;

  work(B& device, const ul::latent_config& c, ul::extent n) : model(device, c), batch(n) {
    model.stage1.weights.allocate();
    model.add_base().weights.allocate();
    model.stage1.scale = model.stage2->scale = ul::latent_scale(0.1);
    x = ul::normal<float>(device, {n, c.image[0], c.image[1], c.image[2]}, ul::key(1));
    const ul::extents latent = c.latent();
    z = ul::normal<float>(device, {n, latent[0], latent[1], latent[2]}, ul::key(2));
    for (ul::extent i = 0; i < n; ++i) labels.push_back(c.classes > 0 ? i % c.classes : 0);
    optimiser1.emplace(model.stage1.weights);
    optimiser2.emplace(model.stage2->weights);
    average1.emplace(model.stage1.weights, ul::warm_up_average{});
    average2.emplace(model.stage2->weights, ul::warm_up_average{});
  }

  void stage1() {
    model.stage1.weights.zero_gradient();
    ul::tape<B> t;
    const auto loss = ul::stage1_loss(model.stage1.networks, t.constant(x), model.stage1.scale, {ul::key(3), 0, batch});
    t.backward(loss.total(static_cast<double>(model.config().pixels())));
    update(model.stage1.weights, *optimiser1, *average1);
  }
  void stage2() {
    model.stage2->weights.zero_gradient();
    ul::tape<B> t;
    const auto loss = ul::stage2_loss(model.stage2->network, model.config(), model.stage2->scale, t.constant(z),
                                      std::span<const ul::extent>(labels), {ul::key(3), 0, batch}, ul::mode::train);
    t.backward(ul::affine(ul::sum(loss), {.scale = 1e-3}));
    update(model.stage2->weights, *optimiser2, *average2);
  }
  void sample() {
    ul::sample(model,
               {.count = batch, .latent_steps = latent_steps, .decoder = {.steps = decoder_steps}, .batch = batch});
  }

 private:
  static void update(ul::parameters<B, float>& p, ul::adam<B, float>& optimiser, ul::ema<B, float>& average) {
    optimiser.step({.rate = 1e-3, .gradient_scale = ul::clip_scale(ul::gradient_norm(p), 1)}, average);
  }
};

template <class Step, class Planned>
void report(const char* name, ul::extent threads, ul::extent batch, int repetitions, double peak, Step&& step,
            Planned&& planned, ul::planner& plan) {
  plan.reset();
  planned();
  std::vector<double> times;
  for (int i = 0; i <= repetitions; ++i) {
    const double time = benchmark::seconds(threads, step);
    if (i > 0) times.push_back(time);  // the first one asks the system for memory
  }
  const double time = benchmark::median(times), rate = 1e-9 * static_cast<double>(plan.flops()) / time;
  std::printf("%-14s %td thread%s  %8.1f ms  %7.1f pictures/s  %7.2f GFLOP  %6.1f GFLOP/s  %3.0f %% of %.0f\n", name,
              threads, threads == 1 ? " " : "s", 1e3 * time, static_cast<double>(batch) / time,
              1e-9 * static_cast<double>(plan.flops()), rate, 100 * rate / peak, peak);
}

}  // namespace

int main(int argc, char** argv) {
  const ul::latent_config config = ul::latent_preset(argc > 1 ? argv[1] : "fashion");
  const ul::extent batch = argc > 2 ? std::atoi(argv[2]) : 64;
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 5;
  ul::planner plan;
  work<ul::planner> planned(plan, config, batch);
  std::printf("%td + %td parameters, batch %td\n", planned.model.stage1.weights.count(),
              planned.model.stage2->weights.count(), batch);
  for (const ul::extent threads : {1, 2}) {
    ul::cpu device({.threads = threads});
    const double peak = benchmark::peak_gigaflops(device);
    work<ul::cpu> real(device, config, batch);
    report(
        "stage-1 step", threads, batch, repetitions, peak, [&] { real.stage1(); }, [&] { planned.stage1(); }, plan);
    report(
        "stage-2 step", threads, batch, repetitions, peak, [&] { real.stage2(); }, [&] { planned.stage2(); }, plan);
    report(
        "samples", threads, batch, 1, peak, [&] { real.sample(); }, [&] { planned.sample(); }, plan);
  }
}
