// SPDX-License-Identifier: MIT
// What a fit leaves on disk while it runs: the trees so far, from which the same fit goes on to the same model after a kill.
#ifndef RECSYS_RANKER_BOOSTER_SNAPSHOT_HPP
#define RECSYS_RANKER_BOOSTER_SNAPSHOT_HPP

#include <recsys/core/push_macros.hpp>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/archive.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/file.hpp>
#include <recsys/core/hash.hpp>
#include <recsys/core/progress.hpp>
#include <recsys/ranker/booster_archive.hpp>
#include <recsys/ranker/booster_options.hpp>
#include <recsys/ranker/tree_set.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// The new trees of a fit, their splits by the features of the fit, and what was reported of them.
struct booster_snapshot {
    std::uint64_t fingerprint = 0; ///< of rows, loss and options: another fit's snapshot is refused
    std::uint64_t n_features = 0;
    tree_set trees;
    fit_report report;
};

template <class Value> std::uint64_t hash_values(std::span<Value const> values, std::uint64_t hash) noexcept {
    return hash_bytes({reinterpret_cast<char const*>(values.data()), values.size_bytes()}, hash);
}
/// The options that decide what a tree is; the number of trees and when to stop may be others.
inline std::uint64_t hash_options(booster_options const& o) noexcept {
    double const numbers[] = {o.learning_rate,
                              static_cast<double>(o.depth),
                              o.l2,
                              o.row_share.value_or(0),
                              o.column_share,
                              o.bagging_temperature,
                              o.random_strength,
                              o.min_leaf_weight,
                              static_cast<double>(o.permutations),
                              o.loss.own_splits() ? 1.0 : 0.0,
                              static_cast<double>(o.score),
                              static_cast<double>(o.sampling)};
    return hash_join(hash_values<double>(numbers, 0), o.seed);
}

template <> struct archived<booster_snapshot> {
    static std::string name() { return "booster_snapshot"; }
    static void save(booster_snapshot const& s, object_writer& out) {
        out.value("fingerprint", s.fingerprint), out.value("n_features", s.n_features);
        save_trees(s.trees, out);
        out.array("report.loss", s.report.loss), out.array("report.valid_loss", s.report.valid_loss),
            out.array("report.valid_metric", s.report.valid_metric);
    }
    static booster_snapshot load(object_reader const& in) {
        booster_snapshot s;
        s.fingerprint = in.value<std::uint64_t>("fingerprint"), s.n_features = in.value<std::uint64_t>("n_features");
        s.trees = load_trees(static_cast<std::size_t>(s.n_features), in);
        std::size_t const n = in.array<double>("report.loss").size(); // each tree, or each round of a tree a class
        auto const read = [&](char const* section, bool may_be_absent) {
            auto const values = in.array<double>(section);
            if (values.size() != n && !(may_be_absent && values.empty())) in.fail(section, "has not a number for each tree");
            return std::vector<double>(values.begin(), values.end());
        };
        if (n == 0 ? s.trees.size() > 0 : s.trees.size() % n != 0) in.fail("report.loss", "has not a number for each tree");
        s.report.loss = read("report.loss", false), s.report.valid_loss = read("report.valid_loss", true);
        s.report.valid_metric = read("report.valid_metric", true);
        return s;
    }
};

/// Reads and writes the snapshot of one fit. Without a path nothing happens.
class snapshot_keeper {
public:
    /// @param n_outputs  trees a round.
    snapshot_keeper(booster_options const& options, std::uint64_t fingerprint, std::size_t n_features, std::size_t n_outputs)
        : m_path(options.snapshot),
          m_interval(options.snapshot_interval),
          m_fingerprint(fingerprint),
          m_n_features(n_features),
          m_n_outputs(n_outputs) {}

    /// What an earlier run of this fit left. @throws data_error  where it is of another fit; format_error  where the file is damaged.
    std::optional<booster_snapshot> read() const {
        if (m_path.empty()) return std::nullopt;
        if (file_handle const there(std::fopen(m_path.c_str(), "rb")); !there) {
            if (errno == ENOENT) return std::nullopt;
            throw_format(m_path, ": cannot be opened");
        }
        auto found = archive_reader(m_path).load<booster_snapshot>(0);
        bool const same_outputs = found.trees.size() == found.report.loss.size() * m_n_outputs;
        if (found.fingerprint != m_fingerprint || found.n_features != m_n_features || !same_outputs)
            throw_data("booster: the snapshot ", in_quotes(m_path),
                       " is of other rows, another loss or other options; remove it or name another file");
        return found;
    }
    /// Writes what there is if it is time; the file is replaced whole.
    void offer(tree_set const& trees, fit_report const& report, bool now) {
        auto const time = std::chrono::steady_clock::now();
        if (m_path.empty() || (!now && time - m_last < m_interval)) return;
        archive_writer out;
        booster_snapshot const snapshot{m_fingerprint, m_n_features, trees, report};
        out.add(snapshot);
        out.write(m_path);
        m_last = std::chrono::steady_clock::now();
    }
    /// The fit is done.
    void remove() const {
        if (!m_path.empty()) std::remove(m_path.c_str());
    }

private:
    std::string m_path;
    std::chrono::seconds m_interval;
    std::uint64_t m_fingerprint, m_n_features;
    std::size_t m_n_outputs;
    std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
};

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
