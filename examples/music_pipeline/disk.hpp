// SPDX-License-Identifier: MIT
// How large the input is and how much disk its results will take, said before anything is computed.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace music {

/// Counts of the input: exact where they are known, else estimated from the sizes of its files.
struct input_size {
    double users = 0, tracks = 0, events = 0;
    double event_bytes = 0;                   ///< of a row of interactions.csv
    double catalog_bytes = 0;                 ///< of the tables tracks and catalog_names
    double label_users = 0, future_users = 0; ///< who get candidates to train on, and to rank
    bool is_made = false;                     ///< the input is among what has to be written
};

/// Of the files of a folder. Users are estimated from the events: 162 of each, as in a music service's log.
input_size size_of_input(std::string const& folder);
/// Of data that will be made.
input_size size_of_made(options const& set);

/// What the large tables would take as CSV.
double events_bytes(input_size const& n);
double personal_bytes(input_size const& n);
double candidates_for_train_bytes(options const& set, input_size const& n);
double candidates_to_rank_bytes(options const& set, input_size const& n);
double recommendations_bytes(options const& set, input_size const& n);

/// Whether a table of about so many bytes as CSV is to be a column file (`--tables`; auto: from 1 GB on).
bool is_column_table(options const& set, double csv_bytes);

struct file_need {
    std::string name;
    double bytes = 0;
};

/// The files of a run, largest first, those left out that are small at any size.
std::vector<file_need> files_of(options const& set, input_size const& n);

/// What the folder of the results has to take yet, in a sentence. @throws std::runtime_error where the disk has not that much.
std::string check_disk(options const& set, input_size const& n);

} // namespace music
