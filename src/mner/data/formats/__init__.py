"""One file a format of posts, each with ``sniff(lines)``, ``read(lines, ...)`` and ``write(posts, stream, ...)``.

A format outside mner is named by its dotted module name and needs the same three functions:

- ``sniff(lines) -> bool``: whether a file that begins with these lines is of the format;
- ``read(lines, *, name, labels, on_fault=None) -> Iterator[Post]``: the posts, one after the other. ``lines`` come
  without their line feed. A bad line goes to ``on_fault(number, message)``, which by default raises. ``labels`` is
  "repair", "strict", or False, which reads posts without their labels and does not check these;
- ``write(posts, stream, *, scheme, losses=None) -> int``: the number of posts written. ``losses[what]`` counts what
  the format could not hold; what would damage a post raises.
"""
