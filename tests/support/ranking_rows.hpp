// SPDX-License-Identifier: MIT
// Rows for a second-stage ranker from a made-up world: users with candidates, seven numbers, one category with a power-law frequency and a real
// effect, and a label drawn from a known probability, whose own loss is what no model can beat.
#ifndef RECSYS_TESTS_SUPPORT_RANKING_ROWS_HPP
#define RECSYS_TESTS_SUPPORT_RANKING_ROWS_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <recsys_under_test.hpp>

namespace support {

struct ranking_row {
    float als_score, genre_and_votes, tracks_month, tracks_listened, rating_avg, rating_std, tracks_per_month;
    std::int32_t genre;
    std::int32_t user;
    bool clicked;
    float probability; ///< from which `clicked` was drawn
};

inline recsys::row_schema<ranking_row> ranking_schema() {
    using row = ranking_row;
    return recsys::rows<row>()
        .number("als_score", &row::als_score)
        .number("genre_and_votes", &row::genre_and_votes)
        .number("tracks_month", &row::tracks_month)
        .number("tracks_listened", &row::tracks_listened)
        .number("rating_avg", &row::rating_avg)
        .number("rating_std", &row::rating_std)
        .number("tracks_per_month", &row::tracks_per_month)
        .category("genre_names", &row::genre)
        .target(&row::clicked)
        .group(&row::user);
}

/// Items, categories and their effects: drawn once from the seed.
class ranking_world {
public:
    static constexpr std::size_t n_items = 20000, n_categories = 3000;

    explicit ranking_world(std::uint64_t seed)
        : m_seed(seed), m_items(n_items), m_category_effect(n_categories), m_category_slope(n_categories) {
        recsys::random_stream random(seed, 0);
        make_popularity();
        for (auto& effect : m_category_effect) effect = 0.8 * random.normal();
        for (auto& slope : m_category_slope) slope = 0.25 * random.normal();
        make_categories(random);
        for (auto& one : m_items) {
            for (auto& t : one.taste) t = random.normal() / 2;
            one.votes = std::exp(1.2 * one.popularity + 2 + 0.8 * random.normal());
            one.rating = std::clamp(7 + 0.9 * random.normal(), 1.0, 10.0);
            one.deviation = std::abs(1.5 + 0.4 * random.normal());
            one.missing = std::clamp(0.12 - 0.08 * one.popularity, 0.0, 0.5);
        }
    }

    /// About n rows, the rows of a user together. The first call sets the intercept, for one click in six rows.
    std::vector<ranking_row> rows(std::size_t n, std::uint64_t stream) {
        recsys::random_stream random(m_seed, stream);
        std::vector<ranking_row> out;
        std::vector<double> scores;
        std::int32_t user = 0;
        while (out.size() < n) {
            auto size = static_cast<std::size_t>(std::clamp(std::exp(3.2 + 0.7 * random.normal()), 6.0, 100.0));
            size = std::min(size, n - out.size());
            if (size < 6 && user > 0) --user; // no stub of a user: the last one gets the rest
            add_user(random, user++, size, out, scores);
        }
        if (!m_has_intercept) find_intercept(scores);
        for (std::size_t i = 0; i < out.size(); ++i) {
            double const p = probability(scores[i] + m_intercept);
            out[i].probability = static_cast<float>(p);
            out[i].clicked = random.uniform() < p;
        }
        return out;
    }

private:
    struct item {
        std::size_t category = 0;
        std::array<double, 4> taste{};
        double popularity = 0, votes = 0, rating = 0, deviation = 0, missing = 0;
    };
    static double probability(double z) { return 1 / (1 + std::exp(-z)); }

    void make_popularity() {
        double sum = 0, mean = 0, squares = 0;
        for (std::size_t i = 0; i < n_items; ++i) {
            double const share = 1 / std::pow(static_cast<double>(i + 1), 0.9);
            m_cumulative.push_back(sum += share);
            m_items[i].popularity = std::log(share);
            mean += std::log(share) / static_cast<double>(n_items);
        }
        for (auto const& i : m_items) squares += (i.popularity - mean) * (i.popularity - mean);
        double const deviation = std::sqrt(squares / static_cast<double>(n_items));
        for (auto& i : m_items) i.popularity = (i.popularity - mean) / deviation;
    }
    void make_categories(recsys::random_stream& random) {
        std::vector<double> cumulative;
        double sum = 0;
        for (std::size_t c = 0; c < n_categories; ++c) cumulative.push_back(sum += 1 / std::pow(static_cast<double>(c + 1), 1.05));
        std::vector<std::size_t> category(n_items);
        for (std::size_t i = 0; i < n_items; ++i) category[i] = i < n_categories ? i : draw(cumulative, random);
        random.shuffle(category);
        for (std::size_t i = 0; i < n_items; ++i) m_items[i].category = category[i];
    }
    static std::size_t draw(std::vector<double> const& cumulative, recsys::random_stream& random) {
        double const at = random.uniform() * cumulative.back();
        return std::min(static_cast<std::size_t>(std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin()),
                        cumulative.size() - 1);
    }

    void add_user(recsys::random_stream& random, std::int32_t user, std::size_t size, std::vector<ranking_row>& out,
                  std::vector<double>& scores) const {
        double const activity = random.normal();
        std::array<double, 4> taste{};
        for (auto& t : taste) t = random.normal();
        double const months = 1 + static_cast<double>(random.below(35));
        double const listened = std::max(1.0, std::floor(std::exp(4 + 1.1 * activity + 0.3 * random.normal())));
        double const month = std::floor(listened / months * std::exp(0.5 * random.normal())), per_month = listened / months;
        double const bias = 0.35 * random.normal(); // no feature sees it
        for (std::size_t k = 0; k < size; ++k) {
            auto const& it = m_items[draw(m_cumulative, random)];
            double affinity = 0;
            for (std::size_t d = 0; d < taste.size(); ++d) affinity += taste[d] * it.taste[d] / 2;
            double const als = std::clamp(0.35 + 0.18 * affinity + 0.08 * it.popularity + 0.11 * random.normal(), -0.2, 1.4);
            double const votes = it.votes * std::exp(0.25 * affinity + 0.2 * random.normal());
            double const average = it.rating + 0.15 * random.normal(), deviation = std::abs(it.deviation + 0.1 * random.normal());
            bool const missing = random.uniform() < it.missing; // rarely rated items carry no rating
            double z = 1.5 * affinity + 0.55 * (missing ? -0.4 : average - 7) - (activity > 0.3 ? 0.35 * (missing ? 1.5 : deviation) : 0);
            z += (als > 0.5 ? 0.3 * std::log1p(votes) : 0) + 0.25 * std::tanh(std::log1p(per_month) - 2.5);
            z += m_category_effect[it.category] + m_category_slope[it.category] * std::clamp(activity, -2.0, 2.0) + bias;
            auto const none = std::numeric_limits<float>::quiet_NaN();
            out.push_back({static_cast<float>(als), static_cast<float>(votes), static_cast<float>(month), static_cast<float>(listened),
                           missing ? none : static_cast<float>(average), missing ? none : static_cast<float>(deviation),
                           static_cast<float>(per_month), static_cast<std::int32_t>(it.category), user, false, 0});
            scores.push_back(z);
        }
    }
    void find_intercept(std::vector<double> const& scores) {
        double low = -20, high = 20;
        for (int step = 0; step < 60; ++step) {
            m_intercept = (low + high) / 2;
            double sum = 0;
            for (auto const z : scores) sum += probability(z + m_intercept);
            (sum / static_cast<double>(scores.size()) > 1.0 / 6 ? high : low) = m_intercept;
        }
        m_has_intercept = true;
    }

    std::uint64_t m_seed;
    std::vector<item> m_items;
    std::vector<double> m_cumulative, m_category_effect, m_category_slope;
    double m_intercept = 0;
    bool m_has_intercept = false;
};

/// Mean log loss of probabilities against 0/1 labels.
template <class Probabilities, class Rows> double mean_log_loss(Probabilities const& probabilities, Rows const& rows) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        double const p = std::clamp(static_cast<double>(probabilities[i]), 1e-15, 1 - 1e-15);
        sum -= std::log(rows[i].clicked ? p : 1 - p);
    }
    return sum / static_cast<double>(rows.size());
}

}

#endif
