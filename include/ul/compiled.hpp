#pragma once
// The blocks, models and training steps over ul::cpu and float, for short builds. A program that links ul::compiled
// (which defines UL_COMPILED) uses the library's instantiations where this header is included; without that library the
// header does nothing.

#if defined(UL_COMPILED) || defined(UL_COMPILED_SOURCE)

#include <ul/backend/cpu.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/latent/plan.hpp>
#include <ul/latent/sample.hpp>
#include <ul/nn/transformer.hpp>
#include <ul/nn/u_net.hpp>
#include <ul/train/fit_seconds.hpp>
#include <ul/train/run.hpp>

#if defined(UL_COMPILED_SOURCE)
#define UL_EXTERN
#else
#define UL_EXTERN extern
#endif

namespace ul {

UL_EXTERN template void gemm_on(executor&, memory_pool&, const gemm_args<float, float>&);

UL_EXTERN template class tape<cpu>;
UL_EXTERN template class parameters<cpu, float>;
UL_EXTERN template class adam<cpu, float>;
UL_EXTERN template class ema<cpu, float>;
UL_EXTERN template class averaged_weights<cpu, float>;
UL_EXTERN template double gradient_norm(const parameters<cpu, float>&);

namespace nn {
UL_EXTERN template class linear<cpu, float>;
UL_EXTERN template class conv<cpu, float>;
UL_EXTERN template class group_norm<cpu, float>;
UL_EXTERN template class layer_norm<cpu, float>;
UL_EXTERN template class rms_norm<cpu, float>;
UL_EXTERN template class mlp<cpu, float>;
UL_EXTERN template class attention<cpu, float>;
UL_EXTERN template class attention_block<cpu, float>;
UL_EXTERN template class resnet_block<cpu, float>;
UL_EXTERN template class transformer_block<cpu, float>;
UL_EXTERN template class transformer<cpu, float>;
UL_EXTERN template class vit<cpu, float>;
UL_EXTERN template class u_net<cpu, float>;
UL_EXTERN template class u_vit<cpu, float>;
}  // namespace nn

UL_EXTERN template class latent_encoder<cpu, float>;
UL_EXTERN template class latent_prior<cpu, float>;
UL_EXTERN template class latent_decoder<cpu, float>;
UL_EXTERN template struct stage1_networks<cpu, float>;
UL_EXTERN template stage1_losses<cpu, float> stage1_loss(const stage1_networks<cpu, float>&, const var<cpu, float>&,
                                                         latent_scale&, const batch_draw&, mode);
UL_EXTERN template class latent_base<cpu, float>;
UL_EXTERN template var<cpu, float> stage2_loss(const latent_base<cpu, float>&, const latent_config&,
                                               const latent_scale&, const var<cpu, float>&, std::span<const extent>,
                                               const batch_draw&, mode);
UL_EXTERN template tensor<cpu, float> sample_by(sampler_kind, denoiser_ref<tensor<cpu, float>>, tensor<cpu, float>,
                                                const logsnr_grid&, noise_ref<tensor<cpu, float>>, no_observer&);
UL_EXTERN template tensor<cpu, float> decode(const latent_model<cpu, float>&, const tensor<cpu, float>&,
                                             std::span<const key>, const decode_options&, no_observer&&);
UL_EXTERN template tensor<cpu, float> reconstruct(const latent_model<cpu, float>&, const tensor<cpu, float>&,
                                                  std::span<const key>, const decode_options&);
UL_EXTERN template tensor<cpu, float> sample(const latent_model<cpu, float>&, const sample_options&, no_observer&&);
UL_EXTERN template std::vector<double> latent_nats(const latent_model<cpu, float>&, const tensor<cpu, float>&,
                                                   std::span<const key>, latent_source, std::span<const std::int32_t>,
                                                   extent);
UL_EXTERN template latent_plan plan<float>(const latent_config&, const plan_options&);
UL_EXTERN template class training_run<cpu>;
UL_EXTERN template run_settings fitted_to(double, cpu&, run_settings, const data_split&);

}  // namespace ul

#undef UL_EXTERN
#endif
