"""A model as notebooks show it."""

import html


def page(model, title=None):
    """The core's page of a model, in a frame of its own."""
    title = title or repr(model)
    source = html.escape(model._of.html(title), quote=True)
    return f'<iframe srcdoc="{source}" style="width: 100%; height: 46em; border: 0" title="{html.escape(title)}"></iframe>'
