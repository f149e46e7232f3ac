// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <recsys_under_test.hpp>
#include <support/exchange_models.hpp>
#include <support/fixtures/exchange_catboost.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/coloured_rows.hpp"
#include "support/sized.hpp"

namespace rs = recsys;
namespace fixture = exchange_fixture::catboost;
using doctest::Approx;
using exchange_fixture::largest_difference;

namespace {

using row = support::coloured_row;
auto plain_schema() { return support::coloured_schema({{"z", &row::z}}).category("shop", &row::shop); }

/// x and colour act together, so do colour and shop; z is noise; thresholds of y come several times.
std::vector<row> clicks(std::size_t n, std::uint64_t seed = 1) {
    rs::random_stream random(seed, 0);
    std::vector<row> out;
    for (std::size_t i = 0; i < n; ++i) {
        row r;
        r.x = static_cast<float>(random.uniform());
        r.y = random.uniform() < 0.2 ? NAN : static_cast<float>(random.normal());
        r.z = static_cast<float>(random.normal());
        auto const colour = random.below(20), shop = random.below(12);
        r.colour = "c" + std::to_string(colour), r.shop = "s" + std::to_string(shop);
        if (random.uniform() < 0.3) r.tags.push_back("sale");
        if (random.uniform() < 0.5) r.tags.push_back("new");
        double const t = (colour % 2 == 0 ? 2 : -2) * (static_cast<double>(r.x) - 0.5) + ((colour + shop) % 3 == 0 ? 1 : -0.5) +
                         (r.y > 1 || r.y < -1 ? 1 : 0) + (r.tags.size() == 2 ? 1 : 0);
        r.target = random.uniform() < 1 / (1 + std::exp(-t)) ? 1.f : 0.f;
        r.baseline = static_cast<float>(random.normal());
        out.push_back(std::move(r));
    }
    return out;
}

/// What is expected of a row of which some players are known, as the definition has it: walk down from the last level.
class plain_game {
public:
    using player = std::set<std::size_t>; ///< columns
    std::vector<player> players;

    plain_game(rs::booster_model const& model, std::size_t tree) {
        auto const& state = model.state();
        for (auto const& s : state.trees.splits(tree)) {
            auto const columns = rs::detail::source_columns(state.space, state.space.features[s.feature]);
            m_of_level.emplace_back(columns.begin(), columns.end());
            if (std::find(players.begin(), players.end(), m_of_level.back()) == players.end()) players.push_back(m_of_level.back());
        }
        for (auto const leaf : state.trees.leaves(tree)) m_leaves.push_back(std::ldexp(leaf, -state.trees.exponent));
        for (auto const w : state.trees.leaf_weights(tree)) m_weights.push_back(static_cast<double>(w));
    }
    double expect(std::size_t leaf, std::set<player> const& known) const { return walk(leaf, known, m_of_level.size(), 0); }

private:
    double weight(std::size_t level, std::size_t prefix) const {
        double sum = 0;
        for (std::size_t leaf = 0; leaf < m_weights.size(); ++leaf)
            if (leaf >> level == prefix) sum += m_weights[leaf];
        return sum;
    }
    double walk(std::size_t leaf, std::set<player> const& known, std::size_t level, std::size_t prefix) const {
        if (level-- == 0) return m_leaves[prefix];
        if (known.count(m_of_level[level])) return walk(leaf, known, level, 2 * prefix + (leaf >> level & 1));
        double const left = weight(level, 2 * prefix), right = weight(level, 2 * prefix + 1);
        double const share = left + right > 0 ? right / (left + right) : 0.5;
        return (1 - share) * walk(leaf, known, level, 2 * prefix) + share * walk(leaf, known, level, 2 * prefix + 1);
    }
    std::vector<player> m_of_level;
    std::vector<double> m_leaves, m_weights;
};

double factorial(std::size_t n) { return n < 2 ? 1 : static_cast<double>(n) * factorial(n - 1); }

/// f(set of players without those in `out`) for each.
void for_subsets(std::vector<plain_game::player> const& all, std::set<plain_game::player> const& out,
                 std::function<void(std::set<plain_game::player> const&)> const& f) {
    for (std::size_t bits = 0; bits < std::size_t{1} << all.size(); ++bits) {
        std::set<plain_game::player> set;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (bits >> i & 1) set.insert(all[i]);
        if (std::none_of(out.begin(), out.end(), [&](auto const& p) { return set.count(p) > 0; })) f(set);
    }
}

struct brute_values {
    std::vector<double> single, pairs;
    double expected = 0;
};
brute_values brute(rs::booster_model const& model, rs::frame const& rows, std::size_t at) {
    auto const& state = model.state();
    std::size_t const n = model.columns().size();
    brute_values out{std::vector<double>(n), std::vector<double>(n * n), model.start()};
    rs::detail::predict_scratch scratch;
    rs::detail::frame_reader const reader(state.space.columns, rows);
    auto* const bins = scratch.bins_for(state.space.features.size());
    state.space.bins(rs::detail::bin_kernels(rs::detail::active_simd_level()), reader.read(at, 1, scratch.rows), bins, scratch.cells);
    for (std::size_t t = 0; t < state.trees.size(); ++t) {
        std::size_t leaf = 0, level = 0;
        for (auto const& s : state.trees.splits(t)) leaf |= std::size_t{bins[s.feature * rs::detail::block_rows] > s.threshold} << level++;
        plain_game const game(model, t);
        auto const k = game.players.size();
        out.expected += game.expect(leaf, {});
        for (auto const& a : game.players) {
            double alone = 0;
            for_subsets(game.players, {a}, [&](auto const& set) {
                auto with = set;
                with.insert(a);
                alone += factorial(set.size()) * factorial(k - set.size() - 1) / factorial(k) *
                         (game.expect(leaf, with) - game.expect(leaf, set));
            });
            for (auto const c : a) out.single[c] += alone / static_cast<double>(a.size());
            for (auto const& b : game.players) {
                if (a == b) continue;
                double both = 0;
                for_subsets(game.players, {a, b}, [&](auto const& set) {
                    auto with_a = set, with_b = set, with = set;
                    with_a.insert(a), with_b.insert(b), with.insert(a), with.insert(b);
                    both += factorial(set.size()) * factorial(k - set.size() - 2) / (2 * factorial(k - 1)) *
                            (game.expect(leaf, with) - game.expect(leaf, with_a) - game.expect(leaf, with_b) + game.expect(leaf, set));
                });
                alone -= both;
                for (auto const c : a)
                    for (auto const d : b) out.pairs[c * n + d] += both / static_cast<double>(a.size() * b.size());
            }
            for (auto const c : a) out.pairs[c * n + c] += alone / static_cast<double>(a.size());
        }
    }
    return out;
}

void check_sums(rs::shap_values const& shap, std::vector<double> const& raw) {
    double worst = 0;
    for (std::size_t r = 0; r < shap.n_rows; ++r)
        for (std::size_t o = 0; o < shap.n_outputs; ++o) {
            double sum = shap.expected[o];
            for (auto const v : shap.row(r, o)) sum += v;
            worst = std::max(worst, std::abs(sum - raw[r * shap.n_outputs + o]));
        }
    CHECK(worst < 1e-9);
}

/// Where the columns of a fixture are among those of a model that leaves some out.
std::size_t place(std::vector<std::string> const& columns, std::string const& name) {
    return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}
void check_catboost(exchange_fixture::model const& wanted) {
    auto const& of = wanted.explained;
    bool const combined = &wanted == &fixture::combined;
    auto const model = rs::parse_catboost_json(wanted.text);
    auto const rows = rs::ingest(fixture::rows, exchange_fixture::schema());
    auto const shap = rs::explain(model, rows), pairs = rs::explain_pairs(model, rows);
    CHECK(shap.columns == model.columns());
    check_sums(shap, model.predict_raw(rows)), check_sums(pairs, model.predict_raw(rows));
    std::size_t const n = shap.columns.size(), wide = of.columns.size() + 1, n_outputs = shap.n_outputs;
    REQUIRE(of.shap.size() == 20 * n_outputs * wide);
    double worst = 0, worst_pair = 0;
    for (std::size_t r = 0; r < 20; ++r)
        for (std::size_t o = 0; o < n_outputs; ++o) {
            auto const* const theirs = of.shap.data() + (r * n_outputs + o) * wide;
            worst = std::max(worst, std::abs(shap.expected[o] - theirs[wide - 1]));
            for (std::size_t c = 0; c + 1 < wide; ++c) {
                auto const at = place(shap.columns, of.columns[c]);
                worst = std::max(worst, std::abs(theirs[c] - (at < n ? shap.row(r, o)[at] : 0)));
                for (std::size_t d = 0; r < 4 && d + 1 < wide; ++d) {
                    if (combined && c == d) continue; // CatBoost's rows do not add up there
                    auto const other = place(shap.columns, of.columns[d]);
                    auto const ours = at < n && other < n ? pairs.row(r, o)[at * n + other] : 0;
                    worst_pair = std::max(worst_pair, std::abs(of.pairs[((r * n_outputs + o) * wide + c) * wide + d] - ours));
                }
            }
        }
    CHECK(worst < 1e-9);
    CHECK(worst_pair < 1e-9);
    // CatBoost adds up what outputs say with its sign, so that of classes nothing is left but rounding, and loses parts of combinations.
    if (n_outputs > 1 || combined) return;
    auto const strengths = rs::interactions(model);
    REQUIRE(strengths.size() == of.interactions.size());
    for (std::size_t i = 0; i < strengths.size(); ++i) {
        CAPTURE(i);
        CHECK(std::minmax(strengths[i].first, strengths[i].second) == std::minmax(of.interactions[i].first, of.interactions[i].second));
        CHECK(strengths[i].share == Approx(of.interactions[i].share).epsilon(1e-9));
    }
}

}

TEST_CASE("SHAP values, those of pairs and interactions of CatBoost's models are what CatBoost says") {
    SUBCASE("two classes, combinations of categories and numbers") { check_catboost(fixture::binary); }
    SUBCASE("several classes, missing numbers, one-hot categories") { check_catboost(fixture::several_classes); }
    SUBCASE("statistics of combinations, which their columns share") { check_catboost(fixture::combined); }
    SUBCASE("more than eight levels") { check_catboost(fixture::deep); }
}

TEST_CASE("SHAP values and those of pairs are the Shapley values and interaction indices of the definition") {
    auto const given = clicks(3000);
    auto const model = rs::booster({.trees = 25, .learning_rate = 0.3, .depth = 5, .joins = 4}).fit(rs::ingest(given, plain_schema()));
    auto const rows = rs::ingest(std::vector<row>(given.begin(), given.begin() + recsys_test::sized(3000, 300)), plain_schema());
    auto const& state = model.state();
    bool joined = false;
    for (auto const& s : state.trees.all_splits())
        joined = joined || rs::detail::source_columns(state.space, state.space.features[s.feature]).size() == 2;
    REQUIRE(joined);
    auto const shap = rs::explain(model, rows), pairs = rs::explain_pairs(model, rows);
    check_sums(shap, model.predict_raw(rows)), check_sums(pairs, model.predict_raw(rows));
    std::size_t const n = shap.columns.size();
    for (std::size_t const r : {std::size_t{0}, std::size_t{77}, rows.n_rows() - 1}) {
        auto const slow = brute(model, rows, r);
        CHECK(largest_difference(slow.single, std::vector<double>(shap.row(r).begin(), shap.row(r).end())) < 1e-12);
        CHECK(largest_difference(slow.pairs, std::vector<double>(pairs.row(r).begin(), pairs.row(r).end())) < 1e-12);
        CHECK(shap.expected[0] == Approx(slow.expected).epsilon(1e-12));
        for (std::size_t a = 0; a < n; ++a) {
            double sum = 0;
            for (std::size_t b = 0; b < n; ++b) {
                sum += pairs.row(r)[a * n + b];
                CHECK(pairs.row(r)[a * n + b] == Approx(pairs.row(r)[b * n + a]).epsilon(1e-12));
            }
            CHECK(sum == Approx(shap.row(r)[a]).epsilon(1e-9));
        }
    }
}

TEST_CASE("SHAP values are the same bits for any number of threads and rows, and at every level of instructions") {
    auto const given = clicks(recsys_test::sized(3000u, 700u));
    auto const rows = rs::ingest(given, plain_schema());
    for (std::size_t const depth : {std::size_t{3}, std::size_t{10}}) {
        auto const model = rs::booster({.trees = recsys_test::sized(30u, 12u), .learning_rate = 0.3, .depth = depth}).fit(rows);
        auto const one = rs::explain(model, rows, {.threads = 1});
        check_sums(one, model.predict_raw(rows));
        for (std::size_t const threads : {std::size_t{2}, std::size_t{7}}) {
            auto const other = rs::explain(model, rows, {.threads = threads});
            CHECK((other.values == one.values && other.expected == one.expected));
        }
        for (std::size_t const r : {std::size_t{0}, std::size_t{129}, given.size() - 1}) {
            auto const few = rs::explain(model, rs::ingest(std::vector<row>{given[r], given[5]}, plain_schema()));
            CHECK(std::equal(few.row(0).begin(), few.row(0).end(), one.row(r).begin()));
            CHECK(few.expected == one.expected);
        }
        for (auto const level : {rs::detail::simd_level::portable, rs::detail::simd_level::avx2}) {
            if (!rs::detail::has_simd_level(level)) continue;
            rs::detail::force_simd_level(level);
            auto const other = rs::explain(model, rows);
            rs::detail::force_simd_level(std::nullopt);
            CHECK(other.values == one.values);
        }
    }
}

TEST_CASE("SHAP values of the training rows have the mean 0 in all and near 0 each, and a column without splits has exactly 0") {
    auto given = clicks(3000);
    for (auto& r : given) r.z = 1; // nothing to split on
    // Of numbers: statistics of a row that is known are not those that it was trained by.
    auto const rows =
        rs::ingest(given, rs::rows<row>().number("x", &row::x).number("y", &row::y).number("z", &row::z).target(&row::target));
    auto const model = rs::booster({.trees = 20, .learning_rate = 0.2, .depth = 4}).fit(rows);
    auto const shap = rs::explain(model, rows);
    double all = 0;
    for (std::size_t c = 0; c < shap.columns.size(); ++c) {
        double sum = 0, size = 0;
        for (std::size_t r = 0; r < shap.n_rows; ++r) sum += shap.row(r)[c], size += std::abs(shap.row(r)[c]);
        all += sum;
        if (shap.columns[c] == "z") CHECK(size == 0);
        else CHECK(std::abs(sum) < 0.05 * size);
    }
    CHECK(all / static_cast<double>(shap.n_rows) == Approx(0).epsilon(1e-9));
}

TEST_CASE("a baseline belongs to no column") {
    auto const given = clicks(2000);
    auto const model = rs::booster({.trees = 10, .depth = 3}).fit(rs::ingest(given, plain_schema()));
    auto const rows = rs::ingest(given, plain_schema().baseline(&row::baseline));
    auto const shap = rs::explain(model, rows);
    CHECK(shap.values == rs::explain(model, rs::ingest(given, plain_schema())).values);
    auto raw = model.predict_raw(rows);
    for (std::size_t r = 0; r < raw.size(); ++r) raw[r] -= static_cast<double>(given[r].baseline);
    check_sums(shap, raw);
}

TEST_CASE("trees by hand: one split, an exclusive or, a leaf without rows") {
    rs::detail::explained_tree tree{{{}}, {4}, {1, 5}, {3, 1}};
    rs::detail::shap_game one(tree);
    auto const v = one.expect(tree.leaves.data(), 1);
    CHECK(v[0] == 2); // (3 x 1 + 1 x 5) / 4
    CHECK(one.value(v, 0) == 3);
    // Levels of two players, leaves 0 1 1 0 of one row each: alone nobody says anything, together all.
    tree = {{{}, {}}, {0, 1}, {0, 1, 1, 0}, {1, 1, 1, 1}};
    rs::detail::shap_game both(tree);
    auto const w = both.expect(tree.leaves.data(), 3);
    CHECK((w[0] == 0.5 && w[1] == 0.5 && w[2] == 0.5 && w[3] == 0));
    CHECK(both.value(w, 0) == -0.25);
    CHECK(both.value(w, 0, 1) == -0.25);
    // The leaves of the right root have no rows: a row that goes there meets both alike.
    tree = {{{}, {}}, {0, 1}, {1, 2, 10, 20}, {1, 1, 0, 0}};
    rs::detail::shap_game empty(tree);
    auto const u = empty.expect(tree.leaves.data(), 3);
    CHECK((u[0] == 1.5 && u[1] == 2 && u[2] == 15 && u[3] == 20));
}

TEST_CASE("interactions are those of columns that act together, the rest are weaker") {
    auto const rows = rs::ingest(clicks(6000), plain_schema());
    // All leaves count alike: those of few rows would say more than the rows.
    auto const model = rs::booster({.trees = 100, .learning_rate = 0.1, .depth = 2, .joins = 0, .min_leaf_weight = 200}).fit(rows);
    auto const pairs = rs::interactions(model);
    REQUIRE(pairs.size() > 3);
    CHECK((pairs[0].first == "x" && pairs[0].second == "colour"));
    CHECK((pairs[1].first == "colour" && pairs[1].second == "shop"));
    double sum = 0;
    for (auto const& p : pairs) sum += p.share;
    CHECK(sum == Approx(100));
    CHECK(std::is_sorted(pairs.begin(), pairs.end(), [](auto const& a, auto const& b) { return a.share > b.share; }));
    CHECK(rs::interactions(rs::booster({.trees = 20, .depth = 1}).fit(rows)).empty());
}

TEST_CASE("what cannot be explained is refused with a reason") {
    auto const rows = rs::ingest(clicks(500), plain_schema());
    auto const model = rs::booster({.trees = 3, .depth = 2}).fit(rows);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(model, rs::ingest(std::vector<row>{}, plain_schema()))),
                         "explain: the frame has no rows", rs::data_error);
    auto const narrow = rs::rows<row>().number("x", &row::x).number("y", &row::y);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(model, rs::ingest(clicks(5), narrow))),
                         "frame: there is no column 'z'; there are: x, y", rs::data_error);
    auto const shap = rs::explain(model, rows);
    CHECK_THROWS_WITH_AS(static_cast<void>(shap.row(500)), "shap_values: row 500 and output 0 of 500 and 1", rs::data_error);
    auto const imported = rs::ingest(fixture::rows, exchange_fixture::schema());
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(rs::parse_catboost_json(fixture::lossguide.text), imported)),
                         doctest::Contains("trees that do not ask one question a level"), rs::data_error);
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::explain(rs::parse_catboost_json(fixture::ranking.text), imported)),
                         "explain: the file of the imported model has no leaf_weights for tree 0", rs::data_error);
    auto text = fixture::deep.text;
    text.replace(text.find("\"leaf_weights\":[") + 16, 1, "-1,2");
    CHECK_THROWS_WITH_AS(static_cast<void>(rs::parse_catboost_json(text)), doctest::Contains("must be"), rs::format_error);
    CHECK(rs::explain(rs::booster({.trees = 0}).fit(rows), rows).values == std::vector<double>(500 * 6, 0.0));
}
