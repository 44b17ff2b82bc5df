"""Second derivatives of activations, by autograd, and the surrogates of relu and relu6."""

import torch
import torch.nn.functional as F

BETA = 3.0  # of softplus_beta'', which stands in for relu'' (docs/reference.md)


def second(kind, z):
    """act''(z): by autograd, or the surrogate of docs/reference.md; 1 where the chain is linear (identityCurvature 1)."""
    bump = lambda y: BETA * torch.sigmoid(BETA * y) * (1 - torch.sigmoid(BETA * y))  # noqa: E731
    if kind == "relu":
        return bump(z)
    if kind == "relu6":
        return bump(z) - bump(z - 6)
    if kind in (None, "identity"):
        return torch.ones_like(z)
    z = z.detach().requires_grad_()
    functions = {"silu": F.silu, "softplus": F.softplus, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu}
    (first,) = torch.autograd.grad(functions[kind](z).sum(), z, create_graph=True)
    return torch.autograd.grad(first.sum(), z)[0]
