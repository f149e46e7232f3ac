// SPDX-License-Identifier: MIT
// Models of other libraries as fixtures have them, and the rows that those libraries scored.
#ifndef RECSYS_TESTS_EXCHANGE_MODELS_HPP
#define RECSYS_TESTS_EXCHANGE_MODELS_HPP

#include <doctest/doctest.h>
#include <recsys_under_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace exchange_fixture {

inline constexpr int missing_k = -1000;

/// Four numbers, the place of a word (-1 = missing) and an integer category (missing_k = missing).
struct row {
    float x0, x1, x2, x3;
    int word, key;

    std::optional<std::string> w() const {
        static char const* const words[] = {"red",
                                            "blue wine",
                                            "777",
                                            "\xC3\xA9t\xC3\xA9 \xC3\xA0 Paris, longer than 16",
                                            "a text of more than thirty-two bytes, so that it is long",
                                            "a text of more than sixty-four bytes, which takes the branch of the hash for the longest",
                                            "green",
                                            ""};
        return word < 0 ? std::nullopt : std::optional<std::string>(words[word]);
    }
    std::optional<int> k() const { return key == missing_k ? std::nullopt : std::optional<int>(key); }
};
/// What the library says of the first rows and of the model; columns in its own order.
struct explanations {
    std::vector<std::string> columns;
    std::vector<double> shap, pairs; ///< of 20 and 4 rows; with what is expected as a last column
    std::vector<recsys::column_pair> interactions;
    std::vector<double> loss_changes; ///< of all rows, where every third target is 1, the others 0
};
struct model {
    std::string text;
    std::vector<double> raw, answers;
    explanations explained = {};
    // Of models of classes: each row's, the raw scores of the second and third round alone, the answers after three rounds.
    std::vector<std::string> classes = {};
    std::vector<double> part = {}, third = {};
};

inline auto schema() {
    return recsys::rows<row>()
        .category("w", &row::w)
        .number("x3", &row::x3)
        .category("k", &row::k)
        .number("x0", &row::x0)
        .number("x2", &row::x2)
        .number("x1", &row::x1);
}
template <class A, class B> double largest_difference(std::vector<A> const& a, std::vector<B> const& b) {
    if (a.size() != b.size()) return INFINITY;
    double out = 0;
    for (std::size_t i = 0; i < a.size(); ++i) out = std::max(out, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return out;
}
/// A model that was read says what its library said: by frame, by span, and row by row, which takes another way through the trees.
inline void check_model(recsys::imported_model const& read, model const& wanted, std::vector<row> const& given, std::size_t n_outputs) {
    auto const rows = recsys::ingest(given, schema());
    REQUIRE(read.n_outputs() == n_outputs);
    CHECK(largest_difference(read.predict_raw(rows), wanted.raw) < 1e-9);
    auto const answers = read.predict(rows);
    CHECK(largest_difference(answers, wanted.answers) < 1e-6);
    auto const predictor = read.predictor(schema());
    std::vector<float> out(given.size() * n_outputs);
    predictor(std::span<row const>(given), std::span<float>(out));
    CHECK(out == answers);
    for (std::size_t i = 0; i < given.size(); ++i) {
        std::vector<float> one(n_outputs);
        predictor(std::span<row const>(&given[i], 1), std::span<float>(one));
        for (std::size_t o = 0; o < n_outputs; ++o) CHECK(one[o] == answers[i * n_outputs + o]);
        if (n_outputs == 1) CHECK(static_cast<float>(predictor(given[i])) == answers[i]);
    }
    if (wanted.classes.empty()) {
        CHECK(read.class_names().empty());
        CHECK_THROWS_WITH_AS(static_cast<void>(read.predict_classes(rows)), doctest::Contains("trained for numbers"), recsys::data_error);
        return;
    }
    CHECK(read.predict_class_names(rows) == wanted.classes);
    bool const is_text =
        wanted.classes.end() != std::find_if(wanted.classes.begin(), wanted.classes.end(), [](auto const& c) { return c[0] > '9'; });
    if (is_text)
        CHECK_THROWS_WITH_AS(static_cast<void>(read.predict_classes(rows)), doctest::Contains("no whole numbers"), recsys::data_error);
    else {
        auto const classes = read.predict_classes(rows);
        for (std::size_t i = 0; i < given.size(); ++i) {
            CHECK(std::to_string(classes[i]) == wanted.classes[i]);
            CHECK(predictor.predict_class(given[i]) == classes[i]);
        }
    }
    CHECK(largest_difference(read.predict_raw(rows, {.first = 1, .last = 3}), wanted.part) < 1e-9);
    CHECK(largest_difference(read.predict(rows, {.last = 3}), wanted.third) < 1e-6);
    std::vector<std::size_t> stages;
    read.staged(rows, 3, [&](std::size_t n, std::span<float const> p) {
        stages.push_back(n);
        std::vector<float> const stage(p.begin(), p.end());
        CHECK(largest_difference(stage, read.predict(rows, {.last = n})) < 1e-6);
        if (n == 3) CHECK(largest_difference(stage, wanted.third) < 1e-6);
        if (n == read.n_trees()) CHECK(largest_difference(stage, answers) < 1e-6);
    });
    CHECK(stages.back() == read.n_trees());
}

}

#endif
