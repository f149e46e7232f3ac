// SPDX-License-Identifier: MIT
// Door of the room matrix: events and the user's own arrays become sparse matrices of users x items. Depends on core and data.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_MATRIX_DOOR_HPP
#define RECSYS_MATRIX_DOOR_HPP

#include <recsys/matrix/builder.hpp>
#include <recsys/matrix/counting_sort.hpp>
#include <recsys/matrix/csc.hpp>
#include <recsys/matrix/csr.hpp>
#include <recsys/matrix/eigen_view.hpp>
#include <recsys/matrix/offsets.hpp>
#include <recsys/matrix/split.hpp>
#include <recsys/matrix/transform.hpp>

#endif
