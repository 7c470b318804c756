"""The factorization machine in PyTorch, written for speed in several ways, on the rows and from the first weights that
`pairloom-speed gpu` has left in a folder:

    torch_fm.py FOLDER [--device cpu] [--seconds N]

Prints a line of JSON for each way, with the rates of passes over the rows and the log loss after the first, and before
them one for a copy over the device's memory. All ways take the same steps, in 32 bits: the gradient of the sum of a
batch's losses, without penalties. One table holds factors and linear weight, [v, w].

With S the sum of a row's v, the pairs add 1/2 (|S|^2 - sum |v|^2), and with the row's slope s an entry adds
s (S - v) to the gradient of v and s to that of w. So if G = [a, b] are the sums of [s S, s] over the entries of a
feature, its gradient is [a - b v, b]: what is written out below needs no sum but that.
"""

import argparse
import functools
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional

BETAS, EPSILON = (0.9, 0.999), 1e-8
# Rows that a pass is timed over, where there are more; and repeats at the most.
TIMED, REPEATS = 1 << 20, 7
SCORED = 1 << 16


def pairs(sums, squares):
    return 0.5 * (sums.square().sum(1) - squares)


def gathered(table, ids, sparse=False):
    """Sums of [v, w] over each row, and of |v|^2, of vectors that are copied for it."""
    found = functional.embedding(ids, table, sparse=sparse)
    return found.sum(1), found[..., :-1].square().sum((1, 2))


def bagged(table, ids):
    """The same without a copy of each row's vectors, for which |v|^2 is taken of the whole table."""
    squares = table[:, :-1].square().sum(1, keepdim=True)
    return (functional.embedding_bag(ids, table, mode="sum"),
            functional.embedding_bag(ids, squares, mode="sum").squeeze(1))


class Machine:
    """Table, bias and settings, from the first weights on."""

    def __init__(self, data, optimizer):
        self.rate, self.optimizer = data.rates[optimizer], optimizer
        self.table = data.weights.clone()
        self.bias = torch.zeros(1, device=data.weights.device)

    def scores(self, ids):
        sums, squares = gathered(self.table, ids)
        return self.bias + sums[:, -1] + pairs(sums[:, :-1], squares)


class Derived(Machine):
    """Gradients by autograd, steps by torch.optim."""

    def __init__(self, data, optimizer, sums=gathered, sparse=False, compiled=False):
        super().__init__(data, optimizer)
        self.table.requires_grad_(True)
        self.bias.requires_grad_(True)
        self.sums = functools.partial(gathered, sparse=True) if sparse else sums
        self.loss = torch.compile(self.loss_of, dynamic=False) if compiled else self.loss_of
        of_table, of_bias = ({"params": [of]} for of in (self.table, self.bias))
        if optimizer == "adagrad":
            # The sum begins with 1, as pairloom's does: sqrt(1 + sum of squares).
            self.steps = [torch.optim.Adagrad([of_table, of_bias], lr=self.rate, initial_accumulator_value=1.0, eps=0)]
        elif sparse:
            self.steps = [torch.optim.SparseAdam([of_table], lr=self.rate), torch.optim.Adam([of_bias], lr=self.rate)]
        else:
            fused = self.table.is_cuda
            self.steps = [torch.optim.Adam([of_table, of_bias], lr=self.rate, betas=BETAS, eps=EPSILON, fused=fused)]

    def loss_of(self, ids, labels):
        sums, squares = self.sums(self.table, ids)
        scores = self.bias + sums[:, -1] + pairs(sums[:, :-1], squares)
        return functional.binary_cross_entropy_with_logits(scores, labels, reduction="sum")

    def step(self, ids, labels):
        self.loss(ids, labels).backward()
        for step in self.steps:
            step.step()
            step.zero_grad()


def moved(parameters, gradient, states, powers, rate):
    """Parameters and states after a step of AdaGrad, which has one state, or of Adam, which has two."""
    if len(states) == 1:
        total = states[0] + gradient * gradient
        return parameters - rate * gradient * torch.rsqrt(1 + total), (total,)
    m = BETAS[0] * states[0] + (1 - BETAS[0]) * gradient
    s = BETAS[1] * states[1] + (1 - BETAS[1]) * gradient * gradient
    first, second = (1 - powers).float()
    return parameters - rate / first * m / (torch.sqrt(s / second) + EPSILON), (m, s)


def gradient_of(rows, total):
    """The gradient of [v, w] from the sums of [s S, s]."""
    return torch.cat([total[:, :-1] - total[:, -1:] * rows[:, :-1], total[:, -1:]], 1)


def slopes_of(sums, squares, bias, labels):
    """[s S, s] of each row."""
    slopes = torch.sigmoid(bias + sums[:, -1] + pairs(sums[:, :-1], squares)) - labels
    return torch.cat([slopes[:, None] * sums[:, :-1], slopes[:, None]], 1)


class Written(Machine):
    """Gradients and steps written out."""

    def __init__(self, data, optimizer, compiled=False):
        super().__init__(data, optimizer)
        count = 1 if optimizer == "adagrad" else 2
        self.states = [torch.zeros_like(self.table) for _ in range(count)]
        self.bias_states = [torch.zeros_like(self.bias) for _ in range(count)]
        self.betas = torch.tensor(BETAS, dtype=torch.float64, device=self.table.device)
        self.powers = torch.ones_like(self.betas)
        self.whole = torch.compile(self.step_of, dynamic=False) if compiled else self.step_of

    @torch.no_grad()
    def step(self, ids, labels):
        self.whole(self.table, self.states, self.bias, self.bias_states, self.powers, ids, labels)

    def begin(self, powers, bias, bias_states, each):
        """Counts the step, and moves the bias."""
        powers.mul_(self.betas)
        new, states = moved(bias, each[:, -1].sum(0, keepdim=True), bias_states, powers, self.rate)
        bias.copy_(new)
        for old, state in zip(bias_states, states):
            old.copy_(state)


class Added(Written):
    """Every row adds to the gradients of its features, and all of the table is moved."""

    def step_of(self, table, states, bias, bias_states, powers, ids, labels):
        each = slopes_of(*gathered(table, ids), bias, labels)
        self.begin(powers, bias, bias_states, each)
        of_entries = each[:, None].expand(*ids.shape, each.shape[1]).reshape(-1, each.shape[1])
        total = torch.zeros_like(table).index_add(0, ids.reshape(-1), of_entries)
        new, after = moved(table, gradient_of(table, total), states, powers, self.rate)
        table.copy_(new)
        for old, state in zip(states, after):
            old.copy_(state)


class Distinct(Written):
    """The features of the batch become rows of a small table; only these are moved."""

    def __init__(self, data, optimizer, compiled=False):
        super().__init__(data, optimizer)
        self.moved = torch.compile(self.moved_of, dynamic=True) if compiled else self.moved_of

    def moved_of(self, rows, total, states, powers):
        return moved(rows, gradient_of(rows, total), states, powers, self.rate)

    def step_of(self, table, states, bias, bias_states, powers, ids, labels):
        features, places = torch.unique(ids, return_inverse=True)
        features = features.long()
        rows = table.index_select(0, features)
        with torch.enable_grad():
            rows.requires_grad_(True)
            sums = functional.embedding_bag(places, rows, mode="sum")
        small = rows.detach()
        squares = small[:, :-1].square().sum(1, keepdim=True)
        squares = functional.embedding_bag(places, squares, mode="sum").squeeze(1)
        each = slopes_of(sums.detach(), squares, bias, labels)
        self.begin(powers, bias, bias_states, each)
        # The sums over entries are what the bag's own gradient is.
        total, = torch.autograd.grad(sums, rows, each)
        of_rows = [state.index_select(0, features) for state in states]
        new, after = self.moved(small, total, of_rows, powers)
        table.index_copy_(0, features, new)
        for old, state in zip(states, after):
            old.index_copy_(0, features, state)


WAYS = {
    "autograd, gathered, dense": Derived,
    "autograd, bags, dense": lambda *of: Derived(*of, sums=bagged),
    "autograd, gathered, sparse": lambda *of: Derived(*of, sparse=True),
    "written out, dense": Added,
    "written out, bags, of the batch's features": Distinct,
}
# Compiling takes longer than all else.
COMPILED = {
    "written out, dense, compiled": lambda *of: Added(*of, compiled=True),
    "autograd, gathered, dense, compiled": lambda *of: Derived(*of, compiled=True),
    "written out, bags, of the batch's features, steps compiled": lambda *of: Distinct(*of, compiled=True),
}


class Data:
    """What `pairloom-speed gpu` has left, on the device."""

    def __init__(self, folder, device):
        said = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        self.rates, self.batches, self.repeats = said["rates"], said["batches"], said["repeats"]
        self.learned, width = said["learned"], said["of_a_row"]
        rows = said["learned"] + said["held_out"]

        def read(name, count, kind):
            return torch.from_file(str(folder / name), shared=False, size=count, dtype=kind).to(device)

        self.ids = read("ids.u32", rows * width, torch.int32).view(rows, width)
        self.labels = read("labels.f32", rows, torch.float32)
        each = said["factors"] + 1
        self.weights = read("weights.f32", said["features"] * each, torch.float32).view(said["features"], each)


class Clock:
    """Seconds of work that the device was given: by its own events, if it has such."""

    def __init__(self, device):
        self.on_gpu = device == "cuda"

    def seconds(self, work):
        if not self.on_gpu:
            began = time.perf_counter()
            work()
            return time.perf_counter() - began
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1000


def copied(clock, device):
    """Bytes a second, read and written, of a copy over memory far beyond the caches."""
    count = 1 << 30 if device == "cuda" else 1 << 22
    source, target = (torch.zeros(count, device=device) for _ in range(2))
    target.copy_(source)
    seconds = statistics.median(clock.seconds(lambda: target.copy_(source)) for _ in range(9))
    return 2 * 4 * count / seconds


def passed(machine, data, batch, rows):
    for start in range(0, rows, batch):
        machine.step(data.ids[start:start + batch], data.labels[start:start + batch])


@torch.no_grad()
def log_loss(machine, data):
    ids, labels = data.ids[data.learned:], data.labels[data.learned:]
    total = 0.0
    for part, truth in zip(ids.split(SCORED), labels.split(SCORED)):
        scores = machine.scores(part).double()
        total += functional.binary_cross_entropy_with_logits(scores, truth.double(), reduction="sum").item()
    return total / len(labels)


def measured(make, data, clock, optimizer, batch):
    """The first pass says what is learned, and warms up; the others are timed."""
    machine = make(data, optimizer)
    passed(machine, data, batch, data.learned)
    loss = log_loss(machine, data)
    rows = min(data.learned, max(TIMED, 4 * batch))
    times = [clock.seconds(lambda: passed(machine, data, batch, rows)) for _ in range(min(data.repeats, REPEATS))]
    return {"median": rows / statistics.median(times), "best": rows / min(times), "log_loss": loss}


def cases(data):
    """Batches of the middle size first: time may not do for all."""
    middle = data.batches[len(data.batches) // 2]
    others = [batch for batch in data.batches if batch != middle]
    for batches, ways in [([middle], WAYS), ([middle], COMPILED), (others, WAYS), (others, COMPILED)]:
        for batch in batches:
            for optimizer in data.rates:
                for way, make in ways.items():
                    yield batch, optimizer, way, make


def tell(**line):
    print(json.dumps(line), flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    words.add_argument("--seconds", type=float, default=120, help="begin nothing after so many")
    said = words.parse_args()
    began = time.monotonic()
    if said.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: PyTorch finds no GPU here")
    data, clock = Data(said.folder, said.device), Clock(said.device)
    name = torch.cuda.get_device_name() if said.device == "cuda" else "the processor"
    tell(torch=torch.__version__, device=name, copy=copied(clock, said.device))
    for batch, optimizer, way, make in cases(data):
        case = {"batch": batch, "optimizer": optimizer, "way": way}
        if time.monotonic() - began > said.seconds:
            tell(**case, failed="no time was left")
            continue
        try:
            tell(**case, **measured(make, data, clock, optimizer, 1 << batch))
        # Whatever PyTorch cannot do here, the other ways may.
        except Exception as error:
            tell(**case, failed=f"{type(error).__name__}: {error}".splitlines()[0][:200])


if __name__ == "__main__":
    main()
