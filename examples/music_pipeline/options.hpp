// SPDX-License-Identifier: MIT
// What the command line of music_pipeline says; the defaults are those of the specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace music {

struct options {
    // where from, where to
    std::string data;
    std::string out = "results";
    bool skip_bad_rows = false;
    bool generate_only = false;
    bool resume = false;
    unsigned threads = 0;
    std::string tables = "auto";
    bool no_candidate_tables = false;
    // for tests: end as if a signal had come at the n-th progress call
    std::uint64_t stop_after = 0, kill_after = 0;
    double pretend_free = 0; ///< bytes of disk
    // the generated data
    std::size_t users = 13700, tracks = 10000, events = 2220000;
    std::uint64_t data_seed = 42;
    double repeats = 0;
    bool id_time_order = false;
    bool full_size = false;
    bool as_columns = false;
    // the moments
    std::string split = "2022-12-16";
    int future_days = 14;
    int label_days = 14;
    int popular_days = 100;
    bool drop_empty_lists = false;
    // ALS
    std::size_t factors = 50, iterations = 10, refit_iterations = 50;
    double regularization = 0.05, alpha = 1;
    std::uint64_t seed = 42;
    bool tune_als = false;
    // the ranker
    std::size_t candidates = 100, negatives = 5, trees = 1000, depth = 6, patience = 60;
    double learning_rate = 0.05;
    // what is shown and judged
    std::size_t k = 5, resamples = 1000;
    bool include_seen = false;
    bool source_definitions = false;
    std::string show_user;
};

/// Reads the command line. Prints help or what is wrong and leaves the program where that is all there is to do.
options parse(int argc, char** argv);

} // namespace music
