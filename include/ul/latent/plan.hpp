#pragma once
// What a model costs, before anything of it is allocated: the model's own code run on a backend that only counts.

#include <ul/backend/planner.hpp>
#include <ul/latent/sample.hpp>

namespace ul {

struct plan_options {
  extent batch = 32;             // pictures in a step of training, and sampled at once
  sample_options sampling = {};  // its count, seeds and classes do not matter
};

struct network_plan {
  extent parameters = 0;
  std::int64_t flops = 0;  // of one forward pass, of one sample

  friend network_plan operator+(const network_plan& a, const network_plan& b) {
    return {a.parameters + b.parameters, a.flops + b.flops};
  }
};

// FLOPs are those of linear, convolution and attention products, 2 for each multiply-add.
struct step_plan {
  std::int64_t flops = 0;    // of one sample; of training three times the forward passes, as the literature counts
  std::int64_t counted = 0;  // of one sample, those that run: of training fewer, where no gradient is wanted
  extent bytes = 0;          // at the most, of the batch: tensors, without what a backend's kernels take for themselves
};

struct latent_plan {
  plan_options options;
  network_plan encoder, prior, decoder, base;
  step_plan stage1;  // a step, with gradients, Adam's moments and averaged weights
  step_plan stage2;  // the same of the base model, on latents that are there already
  step_plan sample;  // all steps of both samplers

  network_plan total() const { return encoder + prior + decoder + base; }
};

namespace detail {

// The cost of a step of training whose loss, a number or one for each sample, is loss(t): with gradients, two moments
// and an average beside the weights.
template <element T, class Loss>
step_plan plan_training(parameters<planner, T>& p, extent batch, Loss loss) {
  planner& device = p.device();
  p.allocate();
  p.zero_gradient();
  const tensor<planner, master_t<T>> state(device, {checked_mul(3, p.flat_size(), "plan")});
  device.reset();
  tape<planner> t;
  t.backward(sum(loss(t)));
  return {.flops = 0, .counted = device.flops() / batch, .bytes = device.peak()};
}

template <element T>
extent parameters_of(const parameters<planner, T>& p, std::string_view network) {
  extent n = 0;
  for (const parameter_entry& e : p.entries())
    if (std::string_view(e.path).starts_with(network)) n = checked_add(n, e.shape.size(), "plan");
  return n;
}

// The FLOPs of a call.
template <class Call>
std::int64_t flops_of(planner& device, Call call) {
  device.reset();
  call();
  return device.flops();
}

template <element T>
tensor<planner, T> batch_of(planner& device, extent n, const extents& item) {
  return tensor<planner, T>(device, {n, item[0], item[1], item[2]});
}

// One forward pass of each network, and a batch of samples.
template <element T>
void plan_model(const latent_config& c, latent_plan& plan) {
  planner device;
  latent_model<planner, T> m(device, c);
  m.stage1.weights.allocate();
  m.add_base().weights.allocate();
  const extent batch = plan.options.batch;
  sample_options s = plan.options.sampling;
  s.count = s.batch = batch;
  s.seeds = {}, s.classes = {};
  device.reset();
  sample(m, s);
  plan.sample = {device.flops() / batch, device.flops() / batch, device.peak()};

  const var<planner, T> x(batch_of<T>(device, 1, c.image)), z(batch_of<T>(device, 1, c.latent()));
  const tensor<planner, compute_t<T>> logsnr(device, {1});
  const tensor<planner, std::int32_t> none, one(device, {1});
  const auto& nets = m.stage1.networks;
  const auto& weights = m.stage1.weights;
  plan.encoder = {parameters_of(weights, "encoder/"), flops_of(device, [&] { nets.encoder(x); })};
  plan.prior = {parameters_of(weights, "prior/"), flops_of(device, [&] { nets.prior(z, logsnr); })};
  plan.decoder = {parameters_of(weights, "decoder/"), flops_of(device, [&] { nets.decoder(x, logsnr, z); })};
  plan.base = {m.stage2->weights.count(),
               flops_of(device, [&] { m.stage2->network(z, logsnr, c.classes > 0 ? one : none); })};
}

template <element T>
void plan_stage1(const latent_config& c, latent_plan& plan) {
  planner device;
  autoencoder<planner, T> m(device, c);
  const extent batch = plan.options.batch;
  plan.stage1 = plan_training(m.weights, batch, [&](tape<planner>& t) {
    return stage1_loss(m.networks, t.constant(batch_of<T>(device, batch, c.image)), m.scale, {key(), 0, batch})
        .total(1);
  });
  plan.stage1.flops = 3 * (plan.encoder.flops + plan.prior.flops + plan.decoder.flops);
}

template <element T>
void plan_stage2(const latent_config& c, latent_plan& plan) {
  planner device;
  base_model<planner, T> m(device, c);
  const extent batch = plan.options.batch;
  const std::vector<extent> labels(static_cast<std::size_t>(batch));
  plan.stage2 = plan_training(m.weights, batch, [&](tape<planner>& t) {
    return stage2_loss(m.network, c, m.scale, t.constant(batch_of<T>(device, batch, c.latent())),
                       std::span<const extent>(labels), {key(), 0, batch}, mode::train);
  });
  plan.stage2.flops = 3 * plan.base.flops;
}

}  // namespace detail

// The cost of a model whose elements are of type T. Throws ul::error for a config that cannot work, and batch < 1.
template <element T = float>
latent_plan plan(const latent_config& c, const plan_options& o = {}) {
  if (o.batch < 1) fail("plan: batch is ", o.batch, ", expected at least 1");
  latent_plan made;
  made.options = o;
  detail::plan_model<T>(c, made);
  detail::plan_stage1<T>(c, made);
  detail::plan_stage2<T>(c, made);
  return made;
}

}  // namespace ul
