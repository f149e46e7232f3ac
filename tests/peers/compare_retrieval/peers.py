# SPDX-License-Identifier: MIT
"""One named job of a peer on raw arrays, one line of JSON, in a process of its own: the same arguments and keys as ours.cpp.

    peers.py als lib=implicit_cg|implicit_cholesky data=FOLDER factors=64 iterations=10 regularization=10 alpha=1 threads=1 [save=PREFIX]
    peers.py top lib=implicit|faiss|faiss_filtered data=FOLDER factors=64 from=PREFIX k=100 threads=1 [users=N] [normalised=1]
    peers.py similar lib=implicit|faiss data=FOLDER factors=64 from=PREFIX k=6 threads=1
    peers.py one_user lib=implicit|faiss data=FOLDER factors=64 from=PREFIX k=100 queries=2000
    peers.py fold_in lib=implicit|implicit_batch data=FOLDER factors=64 from=PREFIX regularization=10 alpha=1 plays=50 queries=500
    peers.py blas                                     which kernels OpenBLAS chose

implicit takes weights as the whole confidence, so it is given 1 + alpha r.
"""
import json
import sys
import time

import numpy as np
import scipy.sparse as sparse

MOST_JUDGED = 10_000


def answer(**values):
    print(json.dumps(values))


def peak_mb():
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


class Job:
    def __init__(self, arguments):
        self.given = dict(argument.split("=", 1) for argument in arguments)
        self.lib = self.given.get("lib", "")
        self.threads = int(self.given.get("threads", 1))
        self.factors = int(self.given.get("factors", 64))

    def number(self, name, otherwise):
        return float(self.given.get(name, otherwise))

    def matrix(self, part):
        folder = self.given["data"]
        with open(f"{folder}/meta.json", encoding="utf-8") as file:
            meta = json.load(file)
        indptr = np.fromfile(f"{folder}/{part}.indptr.i64", np.int64)
        indices = np.fromfile(f"{folder}/{part}.indices.i32", np.int32)
        data = np.fromfile(f"{folder}/{part}.data.f32", np.float32)
        return sparse.csr_matrix((data, indices, indptr.astype(np.int32)), shape=(meta["users"], meta["items"]))

    def confidence(self, train):
        out = train.copy()
        out.data = (1 + self.number("alpha", 1) * train.data).astype(np.float32)
        return out

    def tables(self):
        tables = [np.fromfile(f"{self.given['from']}.{side}.f32", np.float32).reshape(-1, self.factors) for side in ("users", "items")]
        if "normalised" in self.given:
            for table in tables:
                length = np.linalg.norm(table, axis=1, keepdims=True)
                np.divide(table, length, out=table, where=length > 0)
        return tables

    def implicit_model(self, **settings):
        from implicit.cpu.als import AlternatingLeastSquares

        return AlternatingLeastSquares(factors=self.factors, regularization=self.number("regularization", 10), alpha=1.0, num_threads=self.threads,
                                       dtype=np.float32, random_state=7, **settings)

    def implicit_from_files(self):
        model = self.implicit_model()
        model.user_factors, model.item_factors = self.tables()
        return model

    def faiss_index(self, items):
        import faiss

        faiss.omp_set_num_threads(self.threads)
        index = faiss.IndexFlatIP(items.shape[1])
        index.add(items)
        return index


def ndcg_at_10(lists, test):
    """Binary gains, users without test items left out: that of support.hpp, written again."""
    discount = 1 / np.log2(np.arange(10) + 2)
    values = []
    for user, items in enumerate(lists):
        wanted = test.indices[test.indptr[user]:test.indptr[user + 1]]
        if len(wanted):
            hits = np.isin(items[:10], wanted)
            values.append(discount[:len(hits)][hits].sum() / discount[:min(len(wanted), 10)].sum())
    return float(np.mean(values))


def judge(users, items, train, test):
    """Of the first users' ten best items that are not in their train row."""
    lists = []
    for first in range(0, min(MOST_JUDGED, len(users)), 500):
        scores = users[first:min(first + 500, MOST_JUDGED)] @ items.T
        for row, user in zip(scores, range(first, first + len(scores))):
            row[train.indices[train.indptr[user]:train.indptr[user + 1]]] = -np.inf
            best = np.argpartition(-row, 10)[:10]
            lists.append(best[np.argsort(-row[best], kind="stable")])
    return ndcg_at_10(lists, test)


def als(job):
    train = job.matrix("train")
    confidence = job.confidence(train)
    data_mb = peak_mb()
    model = job.implicit_model(iterations=int(job.number("iterations", 10)), use_cg=job.lib == "implicit_cg", calculate_training_loss=False)
    iterations = []
    start = time.perf_counter()
    model.fit(confidence, show_progress=False, callback=lambda _, seconds, __: iterations.append(seconds))
    fit, memory = time.perf_counter() - start, peak_mb()
    if "save" in job.given:
        model.user_factors.tofile(job.given["save"] + ".users.f32")
        model.item_factors.tofile(job.given["save"] + ".items.f32")
    quality = judge(model.user_factors, model.item_factors, train, job.matrix("test"))
    answer(**{"iteration_s": float(np.median(iterations)), "fit_s": fit, "iterations": len(iterations), "ndcg@10": quality, "data_mb": data_mb,
              "peak_mb": memory, "entries": train.nnz})


def search_and_filter(index, users, train, k):
    """faiss takes no list of items for each query: ask for k and as many as the longest row of the block, drop the seen ones after."""
    out = np.empty((len(users), k), np.int64)
    length = np.diff(train.indptr)[:len(users)]
    order = np.argsort(length, kind="stable")  # users with equally long rows together: the kindest blocks
    for first in range(0, len(users), 4096):
        block = order[first:first + 4096]
        ids = index.search(users[block], int(min(k + length[block].max(), index.ntotal)))[1]
        rows = train[block]
        keys = np.repeat(np.arange(len(block), dtype=np.int64), np.diff(rows.indptr)) * index.ntotal + rows.indices
        asked = (np.arange(len(block), dtype=np.int64)[:, None] * index.ntotal + ids).ravel()
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        seen = (keys[at] == asked).reshape(ids.shape)
        out[block] = np.take_along_axis(ids, np.argsort(seen, axis=1, kind="stable")[:, :k], 1)
    return out


def top(job):
    train, test = job.matrix("train"), job.matrix("test")
    users, items = job.tables()
    n, k = min(int(job.number("users", len(users))), len(users)), int(job.number("k", 100))
    users, seen = users[:n], train[:n]
    data_mb = peak_mb()
    if job.lib == "implicit":
        from implicit.cpu.topk import topk

        start = time.perf_counter()
        lists = topk(items, users, k, filter_query_items=seen, num_threads=job.threads)[0]
    else:
        index = job.faiss_index(items)
        start = time.perf_counter()
        lists = index.search(users, k)[1] if job.lib == "faiss" else search_and_filter(index, users, train, k)
    seconds, memory = time.perf_counter() - start, peak_mb()
    values = {"seconds": seconds, "users": n, "data_mb": data_mb, "peak_mb": memory}
    if job.lib != "faiss":  # its lists hold what was seen
        values["ndcg@10"] = ndcg_at_10(lists[:MOST_JUDGED], test)
    answer(**values)


def similar(job):
    """k others for each item: the item itself is the first of k + 1."""
    _, items = job.tables()
    k = int(job.number("k", 6)) + 1
    norms = np.linalg.norm(items, axis=1)
    norms[norms == 0] = 1e-10
    if job.lib == "implicit":
        from implicit.cpu.topk import topk

        start = time.perf_counter()
        scores = topk(items, items, k, item_norms=norms, num_threads=job.threads)[1]
        seconds = time.perf_counter() - start
        scores = scores / norms[:, None]  # implicit leaves the length of the query in
    else:
        start = time.perf_counter()
        units = items / norms[:, None]
        scores = job.faiss_index(units).search(units, k)[0]
        seconds = time.perf_counter() - start
    answer(seconds=seconds, mean_score=float(np.mean(scores[norms > 1e-9, 1:])))


def time_calls(calls):
    micros = []
    for number, call in enumerate(calls[:20] + calls):
        start = time.perf_counter()
        call()
        if number >= min(20, len(calls)):
            micros.append((time.perf_counter() - start) * 1e6)
    micros.sort()
    at = lambda share: micros[min(len(micros) - 1, int(share * len(micros)))]
    answer(p50_us=at(0.5), p99_us=at(0.99), queries=len(micros))


def one_user(job):
    train = job.matrix("train")
    n, k = int(job.number("queries", 2000)), int(job.number("k", 100))
    n = min(n, train.shape[0])
    if job.lib == "implicit":
        model = job.implicit_from_files()
        rows = [train[user] for user in range(n)]
        time_calls([lambda user=user: model.recommend(user, rows[user], N=k) for user in range(n)])
    else:
        users, items = job.tables()
        index = job.faiss_index(items)
        time_calls([lambda user=user: index.search(users[user:user + 1], k) for user in range(n)])


def fold_in(job):
    model, confidence = job.implicit_from_files(), job.confidence(job.matrix("train"))
    plays, n = int(job.number("plays", 50)), int(job.number("queries", 500))
    long = np.flatnonzero(np.diff(confidence.indptr) >= plays)[:n]
    rows = [sparse.csr_matrix((row.data[:plays], row.indices[:plays], [0, plays]), shape=row.shape) for row in (confidence[user] for user in long)]
    model.recalculate_user(0, rows[0])  # makes the Gramian
    if job.lib == "implicit":
        time_calls([lambda row=row: model.recalculate_user(0, row) for row in rows])
    else:
        together = sparse.vstack(rows).tocsr()
        times = []
        for _ in range(5):
            start = time.perf_counter()
            model.recalculate_user(np.arange(len(rows)), together)
            times.append((time.perf_counter() - start) / len(rows) * 1e6)
        answer(p50_us=float(np.median(times)), queries=len(rows))


def blas(_):
    """Every OpenBLAS that the peers bring, each with the kernels that it chose."""
    import faiss
    import implicit.cpu.als
    import scipy.linalg.blas
    from threadpoolctl import threadpool_info

    assert faiss and implicit and scipy.linalg.blas
    answer(kernels=sorted({f"{one['internal_api']} {one.get('architecture')}" for one in threadpool_info() if one["user_api"] == "blas"}))


def main():
    jobs = {"als": als, "top": top, "similar": similar, "one_user": one_user, "fold_in": fold_in, "blas": blas}
    jobs[sys.argv[1]](Job(sys.argv[2:]))


main()
