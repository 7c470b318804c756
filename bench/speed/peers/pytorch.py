"""A factorization machine in PyTorch, written for speed: one embedding holds factors and linear
weight, the gradient of the pairs is written out and summed into a dense one, AdaGrad is fused."""

import common
import torch


class Model:
    def __init__(self, features, call):
        torch.manual_seed(0)
        torch.set_num_threads(call.threads)
        settings = call.settings
        self.batch = int(settings["batch_size"])
        table = torch.empty(features, common.FACTORS + 1).normal_(0, 0.03)
        table[:, -1] = 0
        self.table = torch.nn.Parameter(table)
        self.bias = torch.nn.Parameter(torch.zeros(1))
        self.table.grad = torch.zeros_like(table)
        self.bias.grad = torch.zeros(1)
        self.optimizer = torch.optim.Adagrad(
            [self.table, self.bias], lr=settings["rate"], weight_decay=settings["l2"],
            initial_accumulator_value=1.0, fused=True)

    def forward(self, ids):
        found = torch.nn.functional.embedding(ids, self.table)
        v, w = found[..., :-1], found[..., -1]
        sums = v.sum(1)
        pairs = 0.5 * (sums.square().sum(1) - v.square().sum((1, 2)))
        return self.bias + w.sum(1) + pairs, v, sums

    @torch.no_grad()
    def epoch(self, labels, ids, number):
        labels, ids = torch.from_numpy(labels), torch.from_numpy(ids)
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(number))
        for part in order.split(self.batch):
            self.step(labels.index_select(0, part), ids.index_select(0, part))

    def step(self, labels, ids):
        scores, v, sums = self.forward(ids)
        slopes = torch.sigmoid(scores) - labels
        gradient = torch.empty(*ids.shape, common.FACTORS + 1)
        torch.mul(sums[:, None] - v, slopes[:, None, None], out=gradient[..., :-1])
        gradient[..., -1] = slopes[:, None]
        self.table.grad.zero_().index_add_(0, ids.reshape(-1), gradient.flatten(0, 1))
        self.bias.grad.fill_(slopes.sum())
        self.optimizer.step()

    @torch.no_grad()
    def predict(self, ids):
        parts = torch.from_numpy(ids).split(8192)
        return torch.cat([torch.sigmoid(self.forward(part)[0]) for part in parts]).numpy()


common.main(Model)
