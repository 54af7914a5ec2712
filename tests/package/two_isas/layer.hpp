#pragma once

#include <ul/backend/cpu.hpp>
#include <ul/op/linear.hpp>
#include <ul/tensor/create.hpp>

// A template of the consumer's own over the device, the same text in both units.
template <class Device>
double layer_sum() {
  Device device;
  const auto x = ul::normal<float>(device, {7, 19}, ul::key(1));
  const auto weight = ul::normal<float>(device, {19, 33}, ul::key(2));
  double sum = 0;
  for (const float y : ul::to_host(ul::linear(x, weight))) sum += static_cast<double>(y);
  return sum;
}
