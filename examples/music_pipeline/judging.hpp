// SPDX-License-Identifier: MIT
// Step 9: every row judged on the same users, k and truth, as of T2.
#pragma once

#include <memory>

#include "journal.hpp"
#include "ranking.hpp"
#include "world.hpp"

namespace music {

/// Takes the rows of the table while they stream; beside each the same row with the popular ones for users without history.
class judging {
public:
    judging(journal& log, world const& all, moments const& when);
    ~judging();

    /// The lists of a recommender for everybody who is judged, a block at a time.
    void recommend(recsys::any_recommender const& lists_of, std::function<void(recsys::lists const&)> const& sink) const;
    /// A row whose lists come a block at a time.
    std::function<void(recsys::lists const&)> row(std::string const& name);
    recsys::truth const& future() const;
    /// What is known before T2, and the matrix of it: one of each for all who need them.
    recsys::dataset<id, id> const& known() const;
    recsys::csr const& heard() const;

    /// Prints the table, puts it into the report and result.json.
    void show(std::vector<recsys::item_index> const& top_popular);

private:
    struct state;
    std::unique_ptr<state> m_state;
};

} // namespace music
