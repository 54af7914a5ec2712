#pragma once
// Samplers by name, for settings that are chosen when a program runs. Each with its published options.

#include <array>
#include <string_view>

#include <ul/core/function_ref.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_ddim.hpp>
#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_unipc.hpp>

namespace ul {

enum class sampler_kind {
  ancestral,
  ddim,
  euler_ancestral,
  heun,
  dpmpp_2m,
  dpmpp_2m_sde,
  dpmpp_2s,
  dpmpp_3m,
  dpmpp_3m_sde,
  unipc,
  deis
};

inline constexpr std::array<std::string_view, 11> sampler_names{
    "ancestral", "ddim",     "euler_ancestral", "heun",  "dpmpp_2m", "dpmpp_2m_sde",
    "dpmpp_2s",  "dpmpp_3m", "dpmpp_3m_sde",    "unipc", "deis"};

inline std::string_view name_of(sampler_kind kind) { return sampler_names[static_cast<std::size_t>(kind)]; }

// Throws ul::error listing the known names for another one.
inline sampler_kind sampler_named(std::string_view name) {
  for (std::size_t i = 0; i < sampler_names.size(); ++i)
    if (sampler_names[i] == name) return static_cast<sampler_kind>(i);
  message known;
  for (const std::string_view each : sampler_names) known.append(" ", 1), known.append(each.data(), each.size());
  fail("sampler: \"", name, "\" is not known, expected one of", known.c_str());
}

// One denoiser for all samplers, so that each is compiled once for a type of state.
template <class State>
using denoiser_ref = function_ref<State(const State&, double)>;
template <class State>
using noise_ref = function_ref<State(extent)>;

// The sampler of that name: arguments and result as of the sampler itself (sampler.hpp).
template <sampler_state State, class Observer = no_observer>
State sample_by(sampler_kind kind, denoiser_ref<State> denoiser, State x, const logsnr_grid& grid,
                noise_ref<State> noise, Observer&& observer = {}) {
  switch (kind) {
    case sampler_kind::ancestral:
      return sample_ancestral(denoiser, std::move(x), grid, noise, {}, observer);
    case sampler_kind::ddim:
      return sample_ddim(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::euler_ancestral:
      return sample_euler_ancestral(denoiser, std::move(x), grid, noise, {}, observer);
    case sampler_kind::heun:
      return sample_heun(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::dpmpp_2m:
      return sample_dpmpp_2m(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::dpmpp_2m_sde:
      return sample_dpmpp_2m_sde(denoiser, std::move(x), grid, noise, {}, observer);
    case sampler_kind::dpmpp_2s:
      return sample_dpmpp_2s(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::dpmpp_3m:
      return sample_dpmpp_3m(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::dpmpp_3m_sde:
      return sample_dpmpp_3m_sde(denoiser, std::move(x), grid, noise, {}, observer);
    case sampler_kind::unipc:
      return sample_unipc(denoiser, std::move(x), grid, {}, observer);
    case sampler_kind::deis:
      return sample_deis(denoiser, std::move(x), grid, {}, observer);
  }
  fail("sample_by: sampler ", static_cast<int>(kind), " does not exist");
}

}  // namespace ul
