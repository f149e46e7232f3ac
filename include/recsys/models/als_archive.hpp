// SPDX-License-Identifier: MIT
// An ALS model in a file.
#ifndef RECSYS_MODELS_ALS_ARCHIVE_HPP
#define RECSYS_MODELS_ALS_ARCHIVE_HPP

#include <recsys/core/push_macros.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/types.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_model.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

template <std::floating_point Scalar> struct archived<basic_als_model<Scalar>> {
    static std::string name() { return std::same_as<Scalar, float> ? "als_model<float>" : "als_model<double>"; }
    static void save(basic_als_model<Scalar> const& model, object_writer& out) {
        auto const& p = model.parts();
        out.array("sizes", std::vector<std::uint64_t>{p.n_users, p.n_items, p.n_factors});
        out.array("settings",
                  std::vector<double>{p.alpha, p.regularization, p.frequency_power, static_cast<double>(p.confidence), p.epsilon,
                                      p.unobserved_weight, p.confidence_shape || p.shape_is_lost ? 1.0 : 0.0, p.biases ? 1.0 : 0.0});
        out.array("user_factors", p.user_factors);
        out.array("item_factors", p.item_factors);
        out.array("known_users", p.known_users);
        out.array("known_items", p.known_items);
        out.array("user_gramian", p.user_gramian);
        out.array("item_gramian", p.item_gramian);
        out.array("loss", p.report.loss);
        out.array("valid_loss", p.report.valid_loss);
        out.value("best_iteration", std::uint64_t{p.report.best_iteration ? *p.report.best_iteration + 1 : 0}); // 0: none
        out.value("stopped", static_cast<std::uint8_t>(p.report.stopped));
        out.texts("warnings", p.report.warnings);
        save_provenance(p.from, out);
    }
    static basic_als_model<Scalar> load(object_reader const& in) {
        als_parts<Scalar> p;
        auto const sizes = in.array<std::uint64_t>("sizes", 3);
        for (auto const n : sizes)
            if (n > max_index_count) in.fail("sizes", "are not those of a model");
        if (sizes[2] > 4098 || (sizes[2] == 0 && sizes[0] + sizes[1] > 0)) in.fail("sizes", "are not those of a model");
        p.n_users = static_cast<std::size_t>(sizes[0]), p.n_items = static_cast<std::size_t>(sizes[1]),
        p.n_factors = static_cast<std::size_t>(sizes[2]);
        if (p.n_factors == 0) return {};
        read_objective(in, p);
        p.user_factors = table(in, "user_factors", checked_product(p.n_users, p.n_factors, "als"));
        p.item_factors = table(in, "item_factors", checked_product(p.n_items, p.n_factors, "als"));
        check_ones(in, "user_factors", p, p.user_factors.span(), false), check_ones(in, "item_factors", p, p.item_factors.span(), true);
        p.known_users = flags(in, "known_users", p.n_users), p.known_items = flags(in, "known_items", p.n_items);
        p.user_gramian = gramian_of(in, "user_gramian", p.n_factors), p.item_gramian = gramian_of(in, "item_gramian", p.n_factors);
        auto const loss = in.array<double>("loss");
        p.report.loss.assign(loss.begin(), loss.end());
        auto const valid_loss = in.array<double>("valid_loss");
        p.report.valid_loss.assign(valid_loss.begin(), valid_loss.end());
        auto const best = in.value<std::uint64_t>("best_iteration");
        if (best > valid_loss.size()) in.fail("best_iteration", "is not one of the iterations");
        if (best > 0) p.report.best_iteration = static_cast<std::size_t>(best - 1);
        p.report.stopped = in.value<std::uint8_t>("stopped") != 0;
        p.report.warnings = in.texts("warnings");
        p.from = load_provenance(in);
        basic_als_model<Scalar> model;
        model.set(std::move(p), true);
        return model;
    }

private:
    static void read_objective(object_reader const& in, als_parts<Scalar>& p) {
        auto const settings = in.array<double>("settings"); // the eighth, biases, came later
        if (settings.size() != 7 && settings.size() != 8) in.fail("settings", concat("has ", settings.size(), " elements, expected 8"));
        p.alpha = settings[0], p.regularization = settings[1], p.frequency_power = settings[2];
        if (settings[3] != 0 && settings[3] != 1) in.fail("settings", "name no form of confidence");
        p.confidence = settings[3] == 0 ? confidence_form::linear : confidence_form::log;
        p.epsilon = settings[4], p.unobserved_weight = settings[5], p.shape_is_lost = settings[6] != 0,
        p.biases = settings.size() > 7 && settings[7] != 0;
        if (auto const fault = fault_of(p); !fault.empty()) in.fail("settings", fault);
    }
    template <class Value> static shared_array<Value> finite(object_reader const& in, char const* section, std::size_t n) {
        auto values = in.array<Value>(section, n);
        for (std::size_t i = 0; i < n; ++i)
            if (!std::isfinite(values[i])) in.fail(section, concat("is not finite at ", i));
        return values;
    }
    static shared_array<Scalar> table(object_reader const& in, char const* section, std::size_t n) {
        return in.verify() ? finite<Scalar>(in, section, n) : in.array<Scalar>(section, n);
    }
    static void check_ones(object_reader const& in, char const* section, als_parts<Scalar> const& p, std::span<Scalar const> table,
                           bool of_items) {
        if (!p.biases) return;
        als_columns const columns{p.n_factors, true, of_items};
        if (p.n_factors < 3) in.fail("sizes", "are not those of a model with biases");
        for (std::size_t at = columns.one(); at < table.size(); at += p.n_factors)
            if (table[at] != Scalar{1}) in.fail(section, concat("has no 1 at ", at));
    }
    static shared_array<double> gramian_of(object_reader const& in, char const* section, std::size_t n) {
        return finite<double>(in, section, n * n);
    }
    static shared_array<std::uint8_t> flags(object_reader const& in, char const* section, std::size_t n) {
        auto values = in.array<std::uint8_t>(section);
        if (!values.empty() && values.size() != n) in.fail(section, concat("has ", values.size(), " elements, expected ", n));
        return values;
    }
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
