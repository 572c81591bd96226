"""Code without its device: what a cell computes on a CPU."""

import ast


def on_a_cpu(source: str) -> str:
    """The code of a cell as it runs on a CPU, without comments and layout.

    Left out is what changes nothing there: the choice of `device`, arguments that name
    it, and moves between devices. Two cells whose code is then equal have equal outputs
    on a CPU.

    >>> on_a_cpu("z = net.to(device)(x.to(y.device)).cpu()  # there")
    'z = net(x)'
    >>> on_a_cpu("z = torch.ones(3, device=device).to(device, memory_format=last)")
    'z = torch.ones(3).to(memory_format=last)'
    """
    try:
        tree = _WithoutDevice().visit(ast.parse(source))
    except SyntaxError:  # none of Python's, such as %pip
        return source
    return ast.unparse(tree)


def _chooses(value: ast.expr) -> bool:
    """Whether it is `hardware.device()`, or the name of a device, by itself or with
    `torch.cuda.is_available()`."""
    calls = [
        ast.unparse(node) for node in ast.walk(value) if isinstance(node, ast.Call)
    ]
    names = {node.value for node in ast.walk(value) if isinstance(node, ast.Constant)}
    allowed = {"hardware.device()", "torch.cuda.is_available()"}
    return {*calls} <= allowed and names <= {"cpu", "cuda"} and bool(calls or names)


def _is_device(value: ast.expr) -> bool:
    """`device`, or `x.device`."""
    return ast.unparse(value).split(".")[-1] == "device"


class _WithoutDevice(ast.NodeTransformer):
    def visit_ImportFrom(self, node):
        node.names = [name for name in node.names if name.name != "hardware"]
        return node if node.names else None

    def visit_Assign(self, node):
        (target, *others), value = node.targets, node.value
        if (
            not others
            and isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
        ):
            pairs = [*zip(target.elts, value.elts, strict=True)]
            kept = [pair for pair in pairs if not _is_choice(*pair)]
            if len(kept) == 1 < len(pairs):  # a, device = …, …
                target, value = kept[0]
                node = ast.Assign([target], value, lineno=node.lineno)
        node = self.generic_visit(node)
        same = ast.unparse(node.targets[0]) == ast.unparse(node.value)  # z = z.cpu()
        return None if not others and (same or _is_choice(target, node.value)) else node

    def visit_If(self, node):
        node = self.generic_visit(node)
        on_cpu = ast.unparse(node.test) == "device.type == 'cpu'" and not node.orelse
        return node.body if on_cpu else node

    def visit_Call(self, node):
        node = self.generic_visit(node)
        node.keywords = [
            word
            for word in node.keywords
            if not (word.arg == "device" and _is_device(word.value))
        ]
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        moves = method == "cpu" and not node.args
        if method == "to" and node.args and _is_device(node.args[0]):
            del node.args[0]
            moves = True
        return (
            node.func.value if moves and not node.args and not node.keywords else node
        )


def _is_choice(target: ast.expr, value: ast.expr) -> bool:
    return ast.unparse(target) == "device" and _chooses(value)
