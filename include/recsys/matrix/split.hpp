// SPDX-License-Identifier: MIT
// Leave-k-out on a matrix: some entries of each row to a second matrix of the same shape.
#ifndef RECSYS_MATRIX_SPLIT_HPP
#define RECSYS_MATRIX_SPLIT_HPP

#include <recsys/core/push_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <recsys/core/buffer.hpp>
#include <recsys/core/random.hpp>
#include <recsys/core/types.hpp>
#include <recsys/matrix/csr.hpp>

namespace recsys { inline namespace RECSYS_DETAIL_ABI {

struct leave_k_out_options {
    natural k = 1; ///< entries of each row that go to the test
    std::uint64_t seed = 0;
};

/// Two matrices of the same shape that share no entry.
template <class Value> struct two_matrices {
    basic_csr<Value> train;
    basic_csr<Value> test;
};

namespace detail {

template <class Value> class csr_writer {
public:
    explicit csr_writer(std::size_t n_users) { m_offsets.reserve(n_users + 1), m_offsets.push_back(0); }
    void add(item_index item, Value value) { m_columns.push_back(item), m_values.push_back(value); }
    void end_row() { m_offsets.push_back(static_cast<std::int64_t>(m_columns.size())); }
    basic_csr<Value> finish(basic_csr<Value> const& like) && {
        return basic_csr<Value>(like.n_users(), like.n_items(), shared_array<std::int64_t>(std::move(m_offsets)),
                                shared_array<item_index>(std::move(m_columns)), shared_array<Value>(std::move(m_values)),
                                like.provenance());
    }

private:
    std::vector<std::int64_t> m_offsets;
    std::vector<item_index> m_columns;
    std::vector<Value> m_values;
};

}

/// k random entries of each row that has more than k to `test`, all others to `train`; a shorter row stays wholly in `train`.
///
/// Nothing is lost: each entry is in exactly one of the two, and both have the shape of `m`, with a row for every user. The choice in a row
/// depends on the seed and the user alone. Not safe in time: for logs with times split the dataset. O(entries).
template <class Value> [[nodiscard]] two_matrices<Value> leave_k_out(basic_csr<Value> const& m, leave_k_out_options const& options = {}) {
    detail::csr_writer<Value> train(m.n_users()), test(m.n_users());
    for (auto const user : index_range<user_index>(m.n_users())) {
        auto const items = m.seen(user);
        auto const values = m.weights(user);
        random_stream random(options.seed, to_size(user));
        // Selection sampling, Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S: each set of k is equally likely.
        std::size_t wanted = items.size() > options.k ? std::size_t{options.k} : 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            bool const chosen = wanted > 0 && random.below(items.size() - i) < wanted;
            wanted -= chosen;
            (chosen ? test : train).add(items[i], values[i]);
        }
        train.end_row(), test.end_row();
    }
    return {std::move(train).finish(m), std::move(test).finish(m)};
}

}} // namespace recsys

#include <recsys/core/pop_macros.hpp>
#endif
