#pragma once
// Measured means as they are reported: a figure with its standard error.

#include <ul/core/checked.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/sample_mean.hpp>

namespace ul {

struct measurement {
  double value = 0, standard_error = 0;
};

inline measurement measured(const sample_mean& m) { return {m.mean(), m.standard_error()}; }

// The mean of nats per image as bits per pixel, or per dimension of the latent: `count` is how many an image has.
// Throws ul::error for count < 1 or without an image.
inline measurement bits_per(const sample_mean& nats, extent count) {
  if (count < 1) fail("bits_per: count is ", count, ", expected at least 1");
  if (nats.count() == 0) fail("bits_per: the mean is of no image");
  const double each = bits(1) / static_cast<double>(count);
  return {nats.mean() * each, nats.standard_error() * each};
}

}  // namespace ul
