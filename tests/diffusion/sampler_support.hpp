#pragma once
// Every sampler under one signature, and the data and levels to try them on.

#include <cmath>
#include <vector>

#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_consistency.hpp>
#include <ul/diffusion/sample_ddim.hpp>
#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_flow.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_lms.hpp>
#include <ul/diffusion/sample_pndm.hpp>
#include <ul/diffusion/sample_tcd.hpp>
#include <ul/diffusion/sample_unipc.hpp>

#include "gaussian.hpp"

namespace test {

inline double filled_like(double, double value) { return value; }
template <class T>
std::vector<T> filled_like(const std::vector<T>& x, double value) {
  return std::vector<T>(x.size(), static_cast<T>(value));
}

// Every sampler as (denoiser, x, grid, first step, observer) -> x.
template <class F>
void each_sampler(F f) {
  const auto noise_like = [](const auto& x) {
    return [same = filled_like(x, 1)](ul::extent draw) { return ul::combine(std::sin(5.0 * double(draw) + 1), same); };
  };
  f("ancestral", 0, [=](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_ancestral(d, x, g, noise_like(x), {.first = first}, o);
  });
  f("ddim", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_ddim(d, x, g, {.first = first}, o);
  });
  f("invert", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::invert_ddim(d, x, g, {.first = first}, o);
  });
  f("euler", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_euler(d, x, g, {.first = first}, o);
  });
  f("heun", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_heun(d, x, g, {.first = first}, o);
  });
  f("flow heun", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_flow_heun(d, x, g, {.first = first}, o);
  });
  f("flow sde", 0, [=](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_flow_sde(d, x, g, noise_like(x), {.first = first}, o);
  });
  f("2m", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_dpmpp_2m(d, x, g, {.first = first}, o);
  });
  f("2s", 0, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_dpmpp_2s(d, x, g, {.first = first}, o);
  });
  f("3m", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_dpmpp_3m(d, x, g, {.first = first}, o);
  });
  f("unipc", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_unipc(d, x, g, {.first = first}, o);
  });
  f("deis", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_deis(d, x, g, {.first = first}, o);
  });
  f("lms", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_lms(d, x, g, {.first = first}, o);
  });
  f("pndm", 1, [](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_pndm(d, x, g, {.first = first}, o);
  });
  f("consistency", 0, [=](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_consistency(d, x, g, noise_like(x), {.first = first}, o);
  });
  f("tcd", 0, [=](auto d, auto x, const auto& g, ul::extent first, auto o) {
    return ul::sample_tcd(d, x, g, noise_like(x), {.first = first}, o);
  });
}

inline const gaussian data{0.4, 0.7};
inline const auto grid = ul::uniform_logsnr_grid(-6, 5, 12);

}  // namespace test
