// SPDX-License-Identifier: MIT
// A half-step of ALS: every row of one side solved with the other side fixed. Which rows go together is fixed by the data alone.
#ifndef RECSYS_MODELS_ALS_HALF_STEP_HPP
#define RECSYS_MODELS_ALS_HALF_STEP_HPP

#include <recsys/core/push_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/error.hpp>
#include <recsys/core/simd/select.hpp>
#include <recsys/core/team.hpp>
#include <recsys/models/als_basis.hpp>
#include <recsys/models/als_biases.hpp>
#include <recsys/models/als_objective.hpp>
#include <recsys/models/als_options.hpp>
#include <recsys/models/als_rows.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI { namespace detail {

/// Sparse rows of one side: a user's items, or an item's users.
template <class Index, class Value> struct als_side {
    std::span<std::int64_t const> offsets;
    std::span<Index const> ids;
    std::span<Value const> values;
    std::span<float const> preferences = {}; ///< beside the values; empty: p = [r > 0]
    std::size_t n_rows() const noexcept { return offsets.size() - 1; }
    std::size_t first(std::size_t row) const noexcept { return static_cast<std::size_t>(offsets[row]); }
    std::size_t length(std::size_t row) const noexcept { return static_cast<std::size_t>(offsets[row + 1] - offsets[row]); }
    std::span<float const> preferences_of(std::size_t at, std::size_t n) const noexcept {
        return preferences.empty() ? preferences : preferences.subspan(at, n);
    }
};

/// Sum of lambda_row |row|^2 over a table whose rows have these entries.
template <class S, class Index, class Value> double weighed_norms(std::span<S const> table, std::size_t n_factors,
                                                                  als_side<Index, Value> const& side, std::size_t n_other,
                                                                  als_objective const& objective, team& workers) {
    constexpr std::size_t block = 1024;
    std::vector<double> parts((side.n_rows() + block - 1) / block);
    workers.blocks(side.n_rows(), block, [&](std::size_t first, std::size_t last, std::size_t) {
        double sum = 0;
        for (std::size_t row = first; row < last; ++row) {
            auto const values = side.values.subspan(side.first(row), side.length(row));
            auto const n = values.size() - static_cast<std::size_t>(std::count(values.begin(), values.end(), Value{0}));
            double square = 0;
            for (auto const x : table.subspan(row_place(row, n_factors), n_factors))
                square += static_cast<double>(x) * static_cast<double>(x);
            sum += row_regularization(objective, n, n_other) * square;
        }
        parts[first / block] = sum;
    });
    double sum = 0;
    for (auto const part : parts) sum += part;
    return sum;
}

/// How the rows of a side are shared out: neighbours in blocks, long ones in parts that are summed in their order.
class als_plan {
public:
    struct block {
        std::size_t first, last; ///< rows
    };
    struct part {
        std::size_t row, first, last; ///< entries
    };
    /// Long rows that are solved together, so that the systems of their parts do not fill the memory.
    struct batch {
        std::vector<part> parts;
        std::vector<std::size_t> row_ends; ///< into parts
    };

    als_plan(std::span<std::int64_t const> offsets, std::size_t longest_whole, std::size_t n_factors) {
        std::size_t const n = offsets.size() - 1, system = sizeof(double) * basis_row(n_factors) * basis_row(n_factors);
        m_most_parts = std::clamp<std::size_t>(most_system_bytes / system, 1, 64);
        block open{0, 0};
        std::size_t entries = 0;
        for (std::size_t row = 0; row < n; ++row) {
            auto const first = static_cast<std::size_t>(offsets[row]), length = static_cast<std::size_t>(offsets[row + 1]) - first;
            if (length > longest_whole) add_long_row(row, first, length, longest_whole);
            else entries += length;
            open.last = row + 1;
            if (entries >= most_entries || open.last - open.first == most_rows)
                m_blocks.push_back(std::exchange(open, {row + 1, row + 1})), entries = 0;
        }
        if (open.last > open.first) m_blocks.push_back(open);
    }

    std::span<block const> blocks() const noexcept { return m_blocks; }
    std::span<batch const> batches() const noexcept { return m_batches; }

private:
    static constexpr std::size_t most_rows = 256, most_entries = 16384, most_system_bytes = std::size_t{1} << 26;

    void add_long_row(std::size_t row, std::size_t first, std::size_t length, std::size_t part_length) {
        if (m_batches.empty() || m_batches.back().parts.size() >= m_most_parts) m_batches.emplace_back();
        auto& to = m_batches.back();
        std::size_t const most_of_row = (m_most_parts + 1) / 2;
        part_length = std::max(part_length, (length + most_of_row - 1) / most_of_row);
        for (std::size_t at = 0; at < length; at += part_length)
            to.parts.push_back({row, first + at, first + std::min(length, at + part_length)});
        to.row_ends.push_back(to.parts.size());
    }

    std::size_t m_most_parts = 1;
    std::vector<block> m_blocks;
    std::vector<batch> m_batches;
};

struct als_step_options {
    als_objective objective = {};
    als_solver solver = als_solver::exact;
    std::size_t cg_steps = 3;
    bool warm = false;     ///< conjugate gradients start from what the solved table holds, else from zero
    double relaxation = 1; ///< see relax
};

/// Goes from the rows of a table towards their solutions, in [1, 2) times the way: beyond them it is worse for these rows than the solutions, never
/// worse than where they were, and better for the iterations to come.
template <class S> void relax(S const* solutions, std::size_t ld, std::size_t rows, S* table, std::size_t n_factors, double relaxation) {
    auto const share = static_cast<S>(relaxation);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t j = 0; j < n_factors; ++j) {
            S& x = table[r * n_factors + j];
            x += share * (solutions[r * ld + j] - x);
        }
}

/// Solves all rows of a side. Workspace is kept from step to step.
template <class S> class als_stepper {
public:
    als_stepper(std::size_t n_factors, team& workers, simd_level level, bool for_cg)
        : m_n_factors(n_factors),
          m_team(workers),
          m_kernel(kernels<S>(level)),
          m_kernel_in_double(kernels<double>(level)),
          m_ld(m_kernel.padded(n_factors)) {
        for (std::size_t worker = 0; worker < workers.size(); ++worker)
            m_workers.push_back(std::make_unique<scratch>(m_kernel, n_factors, m_ld, for_cg));
    }

    /// Fills `solved` (rows x n_factors) from `fixed`, whose basis is given. Returns the loss at the solutions, without the regularization of `fixed`.
    /// With biases both have a bias as their last factor, and `common` is that of `fixed`.
    template <class Index, class Value> double step(als_side<Index, Value> const& side, als_plan const& plan, als_basis const& basis,
                                                    std::span<S const> fixed, std::span<S> solved, als_step_options const& options,
                                                    als_common const& common = {}) {
        m_n_other = fixed.size() / m_n_factors;
        whiten(basis, fixed, options.objective.biases);
        take_common(basis, common);
        if (options.objective.frequency_power != 0) m_ridge = basis.template ridge<S>(m_ld, m_kernel_in_double);
        for (auto const& worker : m_workers) {
            worker->solver.set_ridge(m_ridge.data());
            if (options.objective.biases) worker->solver.set_common(m_common.data(), common.constant);
        }
        double loss = 0;
        for (auto const& batch : plan.batches()) loss += solve_batch(side, batch, basis, solved, options);
        std::vector<double> losses(plan.blocks().size());
        m_team.run(losses.size(), [&](std::size_t b, std::size_t worker) {
            losses[b] = solve_block(side, plan.blocks()[b], basis, solved, options, *m_workers[worker]);
        });
        for (auto const part : losses) loss += part;
        return loss;
    }

private:
    struct scratch {
        als_row_solver<S> solver;
        buffer<S> solutions; // of the rows of a block
        scratch(kernel_table<S> const& kernel, std::size_t n_factors, std::size_t ld, bool for_cg)
            : solver(kernel, n_factors, for_cg), solutions(256 * ld) {}
    };

    void whiten(als_basis const& basis, std::span<S const> fixed, bool biases) {
        std::size_t const n = m_n_other;
        room_in(m_z, checked_product(n, m_ld, "als"));
        m_biases = biases ? room_in(m_bias_memory, n) : nullptr;
        m_team.blocks(n, 256, [&](std::size_t first, std::size_t last, std::size_t) {
            S const* const rows = fixed.data() + row_place(first, m_n_factors);
            buffer<S> const ones = biases ? take_biases(rows, first, last - first) : buffer<S>();
            basis.whiten(biases ? ones.data() : rows, m_n_factors, last - first, m_z.data() + row_place(first, m_ld), m_ld, m_kernel);
        });
    }
    /// The rows with 1 in the place of their biases, which are kept.
    buffer<S> take_biases(S const* rows, std::size_t first, std::size_t n) {
        buffer<S> ones(n * m_n_factors);
        std::copy_n(rows, ones.size(), ones.begin());
        for (std::size_t r = 0; r < n; ++r) m_biases[first + r] = std::exchange(ones[(r + 1) * m_n_factors - 1], S{1});
        return ones;
    }
    void take_common(als_basis const& basis, als_common const& common) {
        if (common.right.empty()) return;
        basis.whiten(common.right.data(), m_n_factors, 1, room_in(m_common, m_ld), m_ld, m_kernel_in_double);
    }

    template <class Index, class Value> double solve_block(als_side<Index, Value> const& side, als_plan::block const& block,
                                                           als_basis const& basis, std::span<S> solved, als_step_options const& options,
                                                           scratch& own) {
        std::size_t const n = block.last - block.first;
        S* const table = solved.data() + row_place(block.first, m_n_factors);
        bool const iterative = options.solver == als_solver::cg;
        if (iterative && options.warm) basis.rewhiten(table, m_n_factors, n, own.solutions.data(), m_ld, m_kernel);
        else std::fill_n(own.solutions.begin(), n * m_ld, S{0});
        double loss = 0;
        for (std::size_t row = block.first; row < block.last; ++row) {
            std::size_t const length = side.length(row);
            if (length > als_row_solver<S>::most_entries) continue;
            S* const w = own.solutions.data() + row_place(row - block.first, m_ld);
            std::size_t const at = side.first(row);
            own.solver.entries().read(side.ids.subspan(at, length), side.values.subspan(at, length), side.preferences_of(at, length),
                                      options.objective, m_biases);
            double const extra = extra_of(options.objective, own.solver.entries().size(), m_n_other);
            loss += iterative ? own.solver.solve_cg(m_z.data(), extra, options.cg_steps, w) : own.solver.solve(m_z.data(), extra, w);
        }
        write_block(side, block, basis, table, options.relaxation, own);
        return loss;
    }

    /// Back from the basis; long rows keep what they have.
    template <class Index, class Value> void write_block(als_side<Index, Value> const& side, als_plan::block const& block,
                                                         als_basis const& basis, S* table, double relaxation, scratch& own) {
        for (std::size_t row = block.first; row < block.last;) {
            std::size_t last = row;
            while (last < block.last && side.length(last) <= als_row_solver<S>::most_entries) ++last;
            std::size_t const at = row - block.first;
            write_rows(basis, own.solutions.data() + row_place(at, m_ld), last - row, table + row_place(at, m_n_factors), relaxation);
            row = last + 1;
        }
    }
    void write_rows(als_basis const& basis, S* solutions, std::size_t n, S* table, double relaxation) {
        if (relaxation == 1) return basis.unwhiten(solutions, m_ld, n, table, m_n_factors, m_kernel);
        basis.unwhiten(solutions, m_ld, n, solutions, m_ld, m_kernel);
        relax(solutions, m_ld, n, table, m_n_factors, relaxation);
    }

    template <class Index, class Value> double solve_batch(als_side<Index, Value> const& side, als_plan::batch const& batch,
                                                           als_basis const& basis, std::span<S> solved, als_step_options const& options) {
        std::vector<als_system> systems;
        for (std::size_t p = 0; p < batch.parts.size(); ++p) systems.emplace_back(m_ld);
        m_team.run(batch.parts.size(), [&](std::size_t p, std::size_t worker) {
            auto& solver = m_workers[worker]->solver;
            auto const& part = batch.parts[p];
            for (std::size_t first = part.first; first < part.last; first += als_row_solver<S>::most_entries) {
                std::size_t const n = std::min(als_row_solver<S>::most_entries, part.last - first);
                solver.entries().read(side.ids.subspan(first, n), side.values.subspan(first, n), side.preferences_of(first, n),
                                      options.objective, m_biases);
                solver.accumulate(m_z.data(), systems[p]);
            }
        });
        std::vector<double> losses(batch.row_ends.size());
        m_team.run(losses.size(), [&](std::size_t r, std::size_t worker) {
            std::size_t const first = r == 0 ? 0 : batch.row_ends[r - 1];
            for (std::size_t p = first + 1; p < batch.row_ends[r]; ++p) systems[first].add(systems[p]);
            auto& own = *m_workers[worker];
            double const extra = extra_of(options.objective, systems[first].n_entries, m_n_other);
            losses[r] = own.solver.solve(systems[first], extra, own.solutions.data());
            S* const row = solved.data() + row_place(batch.parts[first].row, m_n_factors);
            write_rows(basis, own.solutions.data(), 1, row, options.relaxation);
        });
        double loss = 0;
        for (auto const part : losses) loss += part;
        return loss;
    }

    std::size_t m_n_factors;
    team& m_team;
    kernel_table<S> m_kernel;
    kernel_table<double> m_kernel_in_double;
    std::size_t m_ld;
    std::vector<std::unique_ptr<scratch>> m_workers;
    buffer<S> m_z;     // the fixed side in the basis
    buffer<S> m_ridge; // |x|^2 in the basis, where rows differ in their lambda
    buffer<S> m_bias_memory, m_common;
    S* m_biases = nullptr; // of the fixed side, or null
    std::size_t m_n_other = 0;
};

/// The basis for the rows of one side, where the other has these n_other rows. @throws data_error where its Gramian is singular.
template <class S> als_basis basis_of(std::span<double const> gramian, std::size_t n_factors, als_objective const& objective,
                                      std::size_t n_other, std::string_view side, simd_level level) {
    auto basis =
        als_basis::make(gramian, n_factors, objective.unobserved_weight, base_regularization(objective, n_other), kernels<double>(level));
    if (!basis)
        throw_data("als: the Gramian of the ", side, " factors is singular with regularization ", objective.regularization,
                   objective.unobserved_weight == 0 ? ", unobserved_weight 0" : "", " and ", n_factors,
                   " factors (fewer independent rows than factors?); set regularization above 0 or take fewer factors");
    return std::move(*basis);
}

}}} // namespace recsys::detail

#include <recsys/core/pop_macros.hpp>
#endif
