#pragma once
// The weighted denoising loss of a batch, over tensors on any backend. Levels and weights are evaluated on the host,
// one for each sample, and travel to the device as small coefficient arrays; so any schedule, weighting and prediction
// works on any backend.

#include <span>
#include <vector>

#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/prediction_error.hpp>
#include <ul/op/combine.hpp>

namespace ul {

// f(item) for each item, as a device tensor (B).
template <element T, backend B, class Item, class F>
tensor<B, T> coefficients(B& device, std::span<const Item> items, F f) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const Item& item : items) values.push_back(static_cast<T>(f(item)));
  return from_host<T>(device, {static_cast<extent>(values.size())}, values);
}

// x_t = alpha x + sigma eps, sample by sample: x, eps (B, ...), the coefficients of each sample -> (B, ...).
template <tensor_like X, backend B, element T>
auto noised(const X& x, const tensor<B, T>& eps, std::span<const loss_coefficients> at) {
  return combine(coefficients<compute_t<T>>(eps.device(), at, [](const auto& c) { return c.alpha; }), x,
                 coefficients<compute_t<T>>(eps.device(), at, [](const auto& c) { return c.sigma; }), eps);
}

// weight ||F - network(x_t)||^2 for each sample, F the prediction's target: x, eps (B, ...) -> (B), in nats. The
// gradient reaches x through the network's input and through its target, and it reaches the network's parameters.
//   network (input_b x_t, log-SNR of each sample (B)) -> F^, of x's extents
// Throws ul::error when the sizes differ.
template <backend B, element T, class Network>
var<B, compute_t<T>> denoising_loss(const var<B, T>& x, const tensor<B, T>& eps, std::span<const loss_coefficients> at,
                                    Network&& network) {
  if (x.shape() != eps.shape()) fail("denoising_loss: x is ", x.shape(), ", eps is ", eps.shape());
  if (static_cast<extent>(at.size()) != x.shape()[0])
    fail("denoising_loss: coefficients of ", at.size(), " samples for a batch of ", x.shape()[0]);
  B& device = x.device();
  const auto each = [&](auto f) { return coefficients<compute_t<T>>(device, at, f); };
  const var<B, T> input = combine(each([](const auto& c) { return c.input * c.alpha; }), x,
                                  each([](const auto& c) { return c.input * c.sigma; }), eps);
  const auto logsnr = each([](const auto& c) { return c.logsnr; });
  return prediction_error(var<B, T>(network(input, logsnr)), x, eps, each([](const auto& c) { return c.target.x; }),
                          each([](const auto& c) { return c.target.eps; }),
                          each([](const auto& c) { return c.weight; }));
}

}  // namespace ul
