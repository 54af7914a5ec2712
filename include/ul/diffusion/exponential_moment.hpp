#pragma once

#include <ul/core/math.hpp>
#include <ul/diffusion/quadrature.hpp>

namespace ul::detail {

// h times the integral of e^(-h (1 - u)) u^k over u from 0 to 1: what a term u^k of x^ along a step of h (in half
// log-SNR) contributes to the state. k = 0, 1, 2; h >= 0, infinity included.
inline double exponential_moment(int k, double h) {
  if (k == 0) return -expm1(-h);
  if (h < 1) return h * integrate([&](double u) { return exp(-h * (1 - u)) * (k == 1 ? u : u * u); }, 0, 1);
  return 1 - k * exponential_moment(k - 1, h) / h;  // by parts; loses digits only for small h
}

}  // namespace ul::detail
