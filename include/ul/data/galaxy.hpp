#pragma once
// One synthetic galaxy: its shape drawn from a key, its surface brightness in three bands at any point of the field.
// Lengths are fractions of the field's side; brightness is linear, about 1 at a bright centre.
// Sources: de Vaucouleurs 1948 and Sersic 1963 (bulges), Freeman 1970 (exponential discs), van der Kruit and Searle
// 1981 (edge-on discs), Ciotti and Bertin 1999 (the constant b of a Sersic profile).

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ul/core/checked.hpp>
#include <ul/core/normal.hpp>
#include <ul/core/uniform.hpp>

namespace ul {

enum class morphology { elliptical, spiral, barred, edge_on };

// Light in a red, a green and a blue band.
struct band_light {
  float red = 0, green = 0, blue = 0;

  friend band_light operator*(float s, band_light a) { return {s * a.red, s * a.green, s * a.blue}; }
  friend band_light operator*(band_light a, band_light b) {
    return {a.red * b.red, a.green * b.green, a.blue * b.blue};
  }
  friend band_light operator+(band_light a, band_light b) {
    return {a.red + b.red, a.green + b.green, a.blue + b.blue};
  }
};

namespace detail {

// Numbers drawn one after the other from a key's stream.
class draws {
 public:
  explicit draws(key k) : key_(k) {}

  float uniform(float low, float high) { return low + (high - low) * uniform_at<float>(key_, next_++); }
  float normal() { return normal_at<float>(key_.split(1), next_++); }

 private:
  key key_;
  std::uint64_t next_ = 0;
};

// exp(k (cos a - 1)): a smooth ridge of height 1 at a = 0, period 2 pi.
inline float ridge(float a, float k) { return std::exp(k * (std::cos(a) - 1)); }

// The Sersic profile with half of its light inside r = 1, brightness 1 there; relative error of that half below 1e-3
// for 1 <= index <= 10.
inline float sersic(float r, float index) {
  const float b = 2 * index - 1.0f / 3 + 0.009876f / index;
  return std::exp(-b * (std::pow(r, 1 / index) - 1));
}

// What dust of optical depth `tau` in the green band lets pass: blue light suffers more.
inline band_light dust(float tau) {
  const float red = std::exp(-0.7f * tau);
  return {red, red * std::sqrt(red), red * red};
}

}  // namespace detail

class galaxy {
 public:
  galaxy(key k, morphology kind) : kind_(kind) {
    detail::draws draw(k);
    constexpr float turn = 6.2831853f;
    x_ = 0.5f + 0.025f * draw.normal();
    y_ = 0.5f + 0.025f * draw.normal();
    const float angle = draw.uniform(0, turn);
    cos_ = std::cos(angle);
    sin_ = std::sin(angle);
    brightness_ = draw.uniform(0.55f, 1.0f);
    const float age = draw.uniform(-1, 1);  // old stars are redder

    if (kind == morphology::elliptical) {
      index_ = draw.uniform(2.5f, 5.0f);
      radius_ = draw.uniform(0.07f, 0.15f);
      bulge_ = 0.22f;
      bulge_ratio_ = draw.uniform(0.5f, 1.0f);
      bulge_colour_ = {1.10f + 0.06f * age, 0.92f, 0.66f - 0.08f * age};
      return;
    }
    length_ = draw.uniform(0.085f, 0.125f);
    disc_ = 0.42f;
    index_ = draw.uniform(1.5f, 3.0f);
    bulge_ratio_ = draw.uniform(0.75f, 1.0f);
    bulge_colour_ = {1.12f + 0.05f * age, 0.93f, 0.62f - 0.06f * age};
    disc_colour_ = {0.92f + 0.08f * age, 0.93f, 0.92f - 0.10f * age};
    if (kind == morphology::edge_on) {
      length_ *= 1.05f;
      thickness_ = length_ * draw.uniform(0.22f, 0.34f);
      radius_ = length_ * draw.uniform(0.3f, 0.65f);
      bulge_ = draw.uniform(0.15f, 0.4f);
      dust_ = draw.uniform(1.0f, 3.0f);
      lane_ = thickness_ * draw.uniform(-0.3f, 0.3f);
      return;
    }
    disc_ratio_ = draw.uniform(0.45f, 1.0f);  // cosine of the inclination: random planes, the steepest left out
    radius_ = length_ * draw.uniform(0.25f, 0.45f);
    bulge_ = draw.uniform(0.25f, 0.6f);
    arms_ = kind == morphology::barred || draw.uniform(0, 1) < 0.7f ? 2 : 3;
    const float pitch = draw.uniform(0.24f, 0.46f);
    winding_ = (draw.uniform(0, 1) < 0.5f ? 1.0f : -1.0f) / std::tan(pitch);
    contrast_ = draw.uniform(1.2f, 2.4f);
    sharpness_ = draw.uniform(1.5f, 3.5f);
    dust_ = draw.uniform(0.4f, 1.0f);
    wobble_ = draw.uniform(0.1f, 0.3f);
    wobble_phase_ = draw.uniform(0, turn);
    start_ = length_ * 0.7f;
    if (kind == morphology::barred) {
      bar_length_ = start_ = length_ * draw.uniform(1.0f, 1.4f);
      bar_width_ = bar_length_ * draw.uniform(0.22f, 0.32f);
      bar_ = draw.uniform(0.5f, 0.9f);
    }
    for (knot& each : knots_) {  // young clusters strewn along the arms
      const float r = start_ * std::exp(draw.uniform(0, std::log(3.6f * length_ / start_)));
      const float arm = std::floor(draw.uniform(0, static_cast<float>(arms_))) / static_cast<float>(arms_) * turn;
      const float theta = arm_angle(r) + arm + 0.12f * draw.normal();
      each.u = r * std::cos(theta);
      each.v = r * std::sin(theta) * disc_ratio_;
      each.inverse = 1 / draw.uniform(0.004f, 0.010f);
      each.light = draw.uniform(0.15f, 0.9f) * std::exp(-0.6f * r / length_);
    }
  }

  morphology kind() const { return kind_; }

  // The light at a point of the field, 0 <= x, y <= 1.
  band_light operator()(float x, float y) const {
    const float u = cos_ * (x - x_) + sin_ * (y - y_), v = cos_ * (y - y_) - sin_ * (x - x_);
    const band_light bulge = bulge_light(u, v);
    switch (kind_) {
      case morphology::elliptical:
        return brightness_ * bulge;
      case morphology::edge_on:
        return brightness_ * edge_on_light(u, v, bulge);
      default:
        return brightness_ * (bulge + disc_light(u, v));
    }
  }

 private:
  struct knot {
    float u, v, inverse, light;  // inverse: one over its radius
  };

  band_light bulge_light(float u, float v) const {
    const float r = std::sqrt(u * u + v * v / (bulge_ratio_ * bulge_ratio_));
    return bulge_ * detail::sersic(r / radius_ + 1e-3f, index_) * bulge_colour_;  // the core is soft
  }

  // The angle of an arm's crest at radius r: a logarithmic spiral that leaves the bar at its end, a little uneven.
  float arm_angle(float r) const {
    const float turns = std::log(r / start_);
    return winding_ * turns + wobble_ * (std::sin(3 * turns + wobble_phase_) - std::sin(wobble_phase_));
  }

  band_light disc_light(float u, float v) const {
    const float height = v;
    v /= disc_ratio_;
    const float r = std::sqrt(u * u + v * v) + 1e-6f, profile = disc_ * std::exp(-r / length_);
    const float rise = (std::min)(1.0f, (std::max)(0.0f, (r / start_ - 0.75f) / 0.5f)),
                fade = rise * rise * (3 - 2 * rise);
    const float across = static_cast<float>(arms_) * (std::atan2(v, u) - arm_angle(r));
    const float arm = contrast_ * fade * detail::ridge(across, sharpness_);
    const band_light young{0.72f, 0.88f, 1.25f};
    band_light light = profile * (0.7f * disc_colour_ + arm * young);
    if (bar_ > 0) {
      const float a = u / bar_length_, b = v / bar_width_;
      light = light + bar_ * std::exp(-1.5f * (a * a * a * a + b * b)) * 0.5f * bulge_colour_;
    }
    // Dust gathers at the inner edge of an arm.
    const float lag = winding_ > 0 ? 0.9f : -0.9f;
    light = light * detail::dust(dust_ * fade * detail::ridge(across + lag, 6) * std::exp(-0.4f * r / length_));
    const band_light nebula{1.15f, 0.75f, 1.05f};
    for (const knot& each : knots_) {
      const float du = (u - each.u) * each.inverse, dv = (height - each.v) * each.inverse, q = du * du + dv * dv;
      if (q < 12) light = light + each.light * std::exp(-0.5f * q) * nebula;
    }
    return light;
  }

  // An exponential disc seen from its rim: near (R / h) K1(R / h) along it, sech^2 across; the dust in its middle
  // plane hides what lies behind, which is about half of the light.
  band_light edge_on_light(float u, float v, band_light bulge) const {
    const float along = std::abs(u) / length_, edge = 1 / (1 + std::exp(6 * (along - 3.2f)));
    const auto sech2 = [](float z) {
      const float c = std::cosh((std::min)(std::abs(z), 30.0f));
      return 1 / (c * c);
    };
    const float disc = 1.5f * disc_ * edge * std::sqrt(1 + 1.5708f * along) * std::exp(-along) * sech2(v / thickness_);
    const float tau = dust_ * sech2((v - lane_) / (0.4f * thickness_)) * std::exp(-0.5f * along);
    const band_light light = disc * disc_colour_ + bulge, hidden = detail::dust(2 * tau);
    return 0.3f * light + 0.7f * (light * hidden);
  }

  morphology kind_;
  float x_, y_, cos_, sin_, brightness_;
  float bulge_ = 0, radius_ = 1, index_ = 1, bulge_ratio_ = 1;  // radius_: half of the light
  float disc_ = 0, length_ = 1, disc_ratio_ = 1, thickness_ = 1;
  float contrast_ = 0, sharpness_ = 1, winding_ = 0, start_ = 1, wobble_ = 0, wobble_phase_ = 0;
  float bar_ = 0, bar_length_ = 1, bar_width_ = 1;
  float dust_ = 0, lane_ = 0;
  int arms_ = 2;
  band_light bulge_colour_, disc_colour_;
  knot knots_[32] = {};
};

}  // namespace ul
